import Crypto
import Foundation
import Testing

@Suite("shard cache")
struct CacheCommandTests {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "shard-cache-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Puts bytes where a tensor with their hash would lie, or one with another.
    private func put(_ bytes: [UInt8], as other: [UInt8]? = nil, suffix: String = "") throws -> String {
        let hash = SHA256.hash(data: other ?? bytes).map { String(format: "%02x", $0) }.joined()
        let parent = folder.appending(path: "tensors/\(hash.prefix(2))")
        try FileManager.default.createDirectory(
            at: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try Data(bytes).write(to: parent.appending(path: hash + suffix))
        return hash
    }

    private func run(_ arguments: String...) async throws -> BuiltProgram.Output {
        try await BuiltProgram.shard.run(["cache"] + arguments + ["--cache", folder.path])
    }

    @Test("list, verify and clear say what is there, what is wrong, and what goes")
    func commands() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let good = try put(Array("good".utf8))
        let bad = try put(Array("bad".utf8), as: Array("other".utf8))
        let part = try put([1], as: [1, 2], suffix: ".part")
        let list = try await run("list")
        #expect(list.exitCode == 0)
        for hash in [good, bad, part] { #expect(list.stdout.contains(hash.prefix(12))) }
        #expect(list.stdout.contains("in part"))
        let json = try await run("list", "--json")
        let listed = try #require(try JSONSerialization.jsonObject(with: Data(json.stdout.utf8)) as? [String: Any])
        #expect((listed["tensors"] as? [[String: Any]])?.count == 3)

        let verify = try await run("verify")
        #expect(verify.exitCode == 1)
        #expect(verify.errorLines.count == 1)
        #expect(verify.stderr.contains(bad))
        let again = try await run("verify")
        #expect(again.exitCode == 0)
        #expect(again.stdout.contains("1 tensor, 4 B, all as named; 1 more in part"))

        let young = try await run("clear", "--older-than", "1h")
        #expect(young.stdout.contains("0 tensors removed"))
        let clear = try await run("clear")
        #expect(clear.stdout.contains("2 tensors removed"))
        let empty = try await run("list")
        #expect(empty.stdout.contains("0 tensors, 0 B of at most"))
    }
}
