import Foundation
import Testing

@testable import Sharding

@Suite("hostile cluster.yaml")
struct HostileConfigurationTests {
    private func refusal(_ text: String) -> [String] {
        do {
            _ = try ClusterConfiguration.parse(text)
            return []
        } catch {
            return error.lines
        }
    }

    @Test("50 MB are refused by their size, unread")
    func tooLarge() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("shard-\(UUID()).yaml")
        defer { try? FileManager.default.removeItem(at: url) }
        #expect(FileManager.default.createFile(atPath: url.path, contents: nil))
        let handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: 50_000_000)
        try handle.close()
        #expect(throws: ConfigurationError.self) { try ClusterConfiguration.load(path: url.path) }
        do {
            _ = try ClusterConfiguration.load(path: url.path)
        } catch {
            #expect(error.lines == ["\(url.path):1:1: expected at most 262144 bytes, got 50000000"])
        }
    }

    @Test("a missing file, a folder and a device are refused", arguments: ["/nonexistent.yaml", "/tmp", "/dev/zero"])
    func noFile(path: String) {
        #expect(throws: ConfigurationError.self) { try ClusterConfiguration.load(path: path) }
    }

    @Test("anchors that multiply are refused")
    func billionLaughs() {
        var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...9 {
            let references = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(references)]\n"
        }
        #expect(refusal(text) == ["cluster.yaml:2:50: expected at most 8 aliases (*name)"])
    }

    @Test("ports of * are no aliases")
    func freePorts() throws {
        let workers = (0..<9).map { "  - {name: a\($0), bind: \"tcp://127.0.0.1:*\"}\n" }.joined()
        let configuration = try ClusterConfiguration.parse("version: 1\nmodel: {source: m}\nworkers:\n\(workers)")
        #expect(configuration.workers.count == 9)
    }

    @Test("a few anchors are as good as what they stand for")
    func fewAnchors() throws {
        let configuration = try ClusterConfiguration.parse(
            """
            version: 1
            model: {source: m}
            workers:
              - {name: a, threads: &t 2, models: &m [/x]}
              - {name: b, threads: *t, models: *m}
            """)
        #expect(configuration.workers[1].threads == 2)
        #expect(configuration.workers[1].modelFolders == ["/x"])
    }

    @Test(
        "deep nesting ends in an error",
        arguments: [
            String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 50_000),
            String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 100_000),
            "a: " + String(repeating: "[", count: 60) + String(repeating: "]", count: 60),
        ])
    func deepNesting(text: String) {
        #expect(!refusal(text).isEmpty)
    }

    @Test("thousands of wrong entries are listed to a bound")
    func manyProblems() {
        let keys = (0..<2000).map { "key\($0): 1" }.joined(separator: "\n")
        let found = refusal(keys)
        #expect(found.count == ConfigurationError.listedCountMax + 1)
        #expect(found.last?.hasSuffix("more problems") == true)
    }

    @Test("a file full of duplicate keys is refused after a few parses")
    func manyDuplicates() {
        let keys = (0..<25_000).map { "k\($0 % 200): 1" }.joined(separator: "\n")
        #expect(refusal(keys).contains { $0.contains("duplicate key") })
    }

    @Test("control characters of the file do not reach the terminal")
    func controlCharacters() {
        let found = refusal("version: 1\nmodel: {source: m}\nworkers: [{name: \"a\\e[31m\"}]\n\"k\\e[0m\": 1")
        #expect(found.count == 2)
        #expect(found.allSatisfy { line in line.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
    }
}
