import Foundation
import Testing

@testable import Sharding

@Suite("API keys")
struct APIKeysTests {
    private static let one = String(repeating: "a", count: 32)
    private static let two = "sk-proj_" + String(repeating: "B9.~+/", count: 10) + "=="

    private func keys(_ text: String) throws -> APIKeys { try APIKeys(text, place: "keys") }

    @Test("a line has a name, a key, and what the key may")
    func lines() throws {
        let keys = try keys(
            "# who may ask\n\nalice = \(Self.one)\r\n  bob=\(Self.two) concurrency=3   priority=-2 # for tests")
        #expect(keys.all.map(\.name) == ["alice", "bob"])
        #expect(keys.all.map(\.priority) == [0, -2])
        #expect(keys.all.map(\.concurrencyMax) == [nil, 3])
        #expect(keys.key(presented: Self.one)?.name == "alice")
        #expect(keys.key(presented: Self.two)?.name == "bob")
    }

    @Test("nothing but a whole key is one")
    func strangers() throws {
        let keys = try keys("alice = \(Self.one)\nbob = \(Self.two)")
        for text in [
            "", "a", String(Self.one.dropLast()), Self.one + "a", Self.one + " ", "alice", "\0", Self.one + Self.two,
        ] {
            #expect(keys.key(presented: text) == nil)
        }
    }

    @Test(
        "a file that is not as it must be is refused with the line, and without its text",
        arguments: [
            ("", "at least one line"), ("# none\n", "at least one line"), ("alice", "NAME = KEY"),
            ("alice =", "NAME = KEY"), ("SECRET", "NAME = KEY"), ("a b = \(one)", "a name of 1 to 64"),
            ("\(one)\(one)\(one) = alice", "a name of 1 to 64"), ("alice = SECRET", "a key of 32 to 256"),
            ("alice = \(one)SECRET,", "a key of 32 to 256"), ("alice = \(one) SECRET", "priority=N and concurrency=N"),
            ("alice = \(one) priority", "priority= and a number from -100 to 100"),
            ("alice = \(one) priority=101", "priority= and a number"),
            ("alice = \(one) concurrency=0", "concurrency= and a number from 1 to 4096"),
            ("alice = \(one) priority=1 priority=2", "priority once"),
            ("alice = \(one)\nalice = \(two)", "each name once"), ("alice = \(one)\nbob = \(one)", "each key once"),
        ])
    func refused(text: String, expected: String) throws {
        let error = try #require(throws: KeyFileError.self) { _ = try keys(text) }
        #expect(error.description.contains("expected \(expected)"), "\(error)")
        #expect(!error.description.contains("SECRET") && !error.description.contains("aaaa"))
        #expect(error.description.hasPrefix("keys: "))
    }

    @Test("the number of keys and bytes has a bound")
    func bounds() throws {
        let lines = (0...APIKeys.countMax).map { "k\($0) = \(Self.one)\($0)" }
        #expect(try keys(lines.dropLast().joined(separator: "\n")).all.count == APIKeys.countMax)
        #expect(throws: KeyFileError.self) { try keys(lines.joined(separator: "\n")) }
        #expect(throws: KeyFileError.self) { try keys(String(repeating: "\n", count: APIKeys.bytesMax + 1)) }
    }

    @Test("keys that are made are added to a file for its owner only, which is read back")
    func made() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/keys/\(APIKeyFile.name)"
        let alice = try APIKeyFile.add("alice", to: path)
        let bob = try APIKeyFile.add("bob", priority: 2, concurrencyMax: 1, to: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let keys = try APIKeys.load(path)
        #expect(keys.key(presented: alice)?.name == "alice")
        #expect(keys.key(presented: bob)?.priority == 2 && keys.key(presented: bob)?.concurrencyMax == 1)
        #expect(alice != bob)
        let before = try Data(contentsOf: URL(filePath: path))
        #expect(throws: KeyFileError.self) { try APIKeyFile.add("alice", to: path) }
        #expect(throws: KeyFileError.self) { try APIKeyFile.add("c", priority: 1000, to: path) }
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
    }

    @Test("a file without a last line's end gets one before the next line")
    func openEnd() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/api-keys"
        try Data("alice = \(Self.one)".utf8).write(to: URL(filePath: path))
        try #require(chmod(path, 0o600) == 0)
        _ = try APIKeyFile.add("bob", to: path)
        #expect(try APIKeys.load(path).all.map(\.name) == ["alice", "bob"])
    }

    @Test("a file that others may read is refused, also for adding")
    func modes() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/api-keys"
        try Data("alice = \(Self.one)\n".utf8).write(to: URL(filePath: path))
        try #require(chmod(path, 0o640) == 0)
        #expect(try #require(throws: KeyFileError.self) { _ = try APIKeys.load(path) }.field == "mode")
        #expect(try #require(throws: KeyFileError.self) { try APIKeyFile.add("bob", to: path) }.field == "mode")
    }
}
