import Foundation
import Testing

@testable import Coordinator

@Suite("Writing emitted files")
struct EmittedFileTests {
    private let files = [
        EmittedFile("open.txt", "open\n"), EmittedFile("deep/er/secret.txt", "secret\n", isSecret: true),
    ]

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shard-emit-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("folders are made, secrets are their owner's only, and nothing else is left")
    func write() throws {
        try inFolder { folder in
            let paths = try EmittedFile.write(files, to: folder, overwriting: false)
            #expect(paths == ["\(folder)/open.txt", "\(folder)/deep/er/secret.txt"])
            #expect(try String(contentsOfFile: paths[1], encoding: .utf8) == "secret\n")
            #expect(try mode(paths[1]) == 0o600)
            #expect(try mode(paths[0]) & 0o600 == 0o600)
            #expect(try FileManager.default.subpathsOfDirectory(atPath: folder).count == 4)
        }
    }

    @Test("nothing is written where one file is there already, unless that is asked for")
    func existing() throws {
        try inFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/deep/er", withIntermediateDirectories: true)
            try Data("mine".utf8).write(to: URL(filePath: folder + "/deep/er/secret.txt"))
            let error = #expect(throws: CoordinatorError.self) {
                try EmittedFile.write(files, to: folder, overwriting: false)
            }
            #expect(error?.message.contains("deep/er/secret.txt") == true && error?.message.contains("--force") == true)
            #expect(!FileManager.default.fileExists(atPath: folder + "/open.txt"))
            _ = try EmittedFile.write(files, to: folder, overwriting: true)
            #expect(try String(contentsOfFile: folder + "/deep/er/secret.txt", encoding: .utf8) == "secret\n")
            #expect(try mode(folder + "/deep/er/secret.txt") == 0o600)
        }
    }

    @Test("a link that leads nowhere counts as a file")
    func link() throws {
        try inFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(atPath: folder + "/open.txt", withDestinationPath: "/nowhere/x")
            #expect(throws: CoordinatorError.self) { try EmittedFile.write(files, to: folder, overwriting: false) }
        }
    }
}
