import Foundation
import Testing

/// The house of docs/architecture.md: levels from the ground up, and within a level the order from the ground up.
private let levels: [[String]] = [
    ["CZeroMQ", "CPCRE2", "CUring", "CLinux", "CKernels", "Tensors"],
    ["Threads", "ZeroMQ", "Devices", "ModelFiles", "Streaming"],
    ["Models", "Sharding", "Links", "WeightTransfer", "Tokenizers", "Inference"],
    ["Measuring", "LoadTesting", "Worker", "Coordinator", "Serving"],
    ["Terminal", "ShardKit", "shard", "shard-coordinator", "shard-worker"],
]

@Suite("The house")
struct HouseTests {
    private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().resolvingSymlinksInPath()

    @Test("every folder of Sources is a target with a place in the house")
    func everyTargetHasAPlace() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path)
        #expect(Set(folders.filter { !$0.hasPrefix(".") }) == Set(levels.flatMap { $0 }))
    }

    @Test("imports point down", arguments: levels.flatMap { $0 })
    func importsPointDown(target: String) throws {
        let order = levels.flatMap { $0 }
        let place = try #require(order.firstIndex(of: target))
        let below = Set(order[..<place])
        for file in try files(in: "Sources/\(target)") where file.hasSuffix(".swift") {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            for module in importedModules(text) where order.contains(module) {
                #expect(below.contains(module), "\(file): imports \(module), which does not stand below \(target)")
            }
        }
    }

    @Test("Serving knows a protocol, not the cluster; the coordinator runs no layers; the worker speaks no HTTP")
    func neighboursStayApart() throws {
        let strangers = [
            "Serving": ["Coordinator", "Worker", "Inference", "ZeroMQ", "Devices"],
            "Coordinator": ["Worker", "Hummingbird", "Serving"],
            "Worker": ["Coordinator", "Hummingbird", "Serving"],
        ]
        for (target, forbidden) in strangers {
            for file in try files(in: "Sources/\(target)") where file.hasSuffix(".swift") {
                let modules = importedModules(try String(contentsOfFile: file, encoding: .utf8))
                #expect(modules.isDisjoint(with: forbidden), "\(file): imports \(modules.intersection(forbidden))")
            }
        }
    }

    @Test("Protocol Buffers appear only in Sharding's wire folder")
    func protobufStaysOnTheWire() throws {
        for file in try files(in: "Sources") where file.hasSuffix(".swift") && !file.contains("/Sharding/Wire/") {
            let modules = importedModules(try String(contentsOfFile: file, encoding: .utf8))
            #expect(!modules.contains("SwiftProtobuf"), "\(file): imports SwiftProtobuf")
        }
    }

    @Test(
        "no hand-written file is longer than 500 lines",
        arguments: ["Sources", "Tests", "scripts", "Examples", "Benchmarks"])
    func filesAreShort(folder: String) throws {
        let written = try files(in: folder).filter { file in
            !file.contains("/Fixtures/") && !file.hasSuffix(".pb.swift")
                && [".swift", ".c", ".h", ".proto", ""].contains(where: { suffix in
                    suffix.isEmpty ? folder == "scripts" : file.hasSuffix(suffix)
                })
        }
        #expect(!written.isEmpty)
        for file in written {
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 501, "\(file): \(lines.count) lines")
        }
    }

    private func files(in folder: String) throws -> [String] {
        let start = root.appending(path: folder)
        let paths = try #require(FileManager.default.enumerator(atPath: start.path))
        return paths.compactMap { $0 as? String }.map { start.appending(path: $0).path }.filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue
        }
    }

    /// Module names of `import X`, `package import X`, `@testable import struct X.Y` and the like.
    private func importedModules(_ text: String) -> Set<String> {
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        var modules: Set<String> = []
        for line in text.split(separator: "\n") {
            var words = line.split(separator: " ").filter { !$0.hasPrefix("@") }
            if let access = words.first, ["public", "package", "internal", "private"].contains(access) {
                words.removeFirst()
            }
            guard words.count >= 2, words[0] == "import" else { continue }
            let path = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
            modules.insert(String(path.split(separator: ".")[0]).replacingOccurrences(of: "_", with: "-"))
        }
        return modules
    }
}
