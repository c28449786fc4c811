import Foundation
import Testing
import ZeroMQ

@testable import Sharding

@Suite("Key files")
struct KeyFileTests {
    static let manualPublic = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    static let manualSecret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"

    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    private func write(_ text: String, mode: mode_t = 0o600, to name: String = "a.key") throws -> String {
        let path = "\(folder.path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try #require(chmod(path, mode) == 0)
        return path
    }

    private func refusal(_ path: String) throws -> KeyFileError {
        try #require(throws: KeyFileError.self) { _ = try KeyFile.load(path) }
    }

    @Test("new keys are read back; the files have their modes and the folder its own")
    func roundTrip() throws {
        let path = "\(folder.path)/deep/keys/a.key"
        let keys = try KeyFile.create(at: path, for: "worker a")
        #expect(try KeyFile.load(path) == keys)
        #expect(try PublicKeyText.parse("\(folder.path)/deep/keys/a.pub") == keys.publicKey)
        #expect(try mode(path) == 0o600)
        #expect(try mode("\(folder.path)/deep/keys/a.pub") == 0o644)
        #expect(try mode("\(folder.path)/deep/keys") == 0o700)
        #expect(try mode("\(folder.path)/deep") == 0o700)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(
            text == "# shard secret key of worker a; keep it to yourself\npublic-key = \(keys.publicKey)\n"
                + "secret-key = \(keys.secretKey.secretText)\n")
        let publicText = try String(contentsOfFile: "\(folder.path)/deep/keys/a.pub", encoding: .utf8)
        #expect(publicText == "# shard public key of worker a\npublic-key = \(keys.publicKey)\n")
    }

    @Test("keys pass as text, too")
    func text() throws {
        let keys = try CurveKeyPair.generate()
        #expect(try KeyFile.parse(KeyFile.text(of: keys), place: "input") == keys)
        #expect(try KeyFile.parse(KeyFile.text(of: keys) + "\n", place: "input") == keys)
        #expect(try KeyFile.parse(KeyFile.text(of: keys, for: "a\nsecret-key = b"), place: "input") == keys)
        let spaced = KeyFile.text(of: keys).replacing("\n", with: "  \r\n").replacing(" = ", with: "=")
        #expect(try KeyFile.parse(spaced, place: "input") == keys)
    }

    @Test("keys are never overwritten, and a failure leaves nothing behind")
    func existing() throws {
        let path = "\(folder.path)/a.key"
        let keys = try KeyFile.create(at: path, for: "a")
        let error = try #require(throws: KeyFileError.self) { try KeyFile.create(at: path, for: "a") }
        #expect(error.code == .exists)
        #expect(
            error.description == "\(path): expected no file of that name, got one; keys are never overwritten: move it "
                + "away, or name another folder")
        #expect(try KeyFile.load(path) == keys)
        try FileManager.default.removeItem(atPath: path)
        let second = try #require(throws: KeyFileError.self) { try KeyFile.create(at: path, for: "a") }
        #expect(second.place == "\(folder.path)/a.pub")
        #expect(folder.entries == ["a.pub"])
        symlink("/nonexistent/elsewhere", "\(folder.path)/b.key")
        #expect(throws: KeyFileError.self) { try KeyFile.create(at: "\(folder.path)/b.key", for: "b") }
        #expect(folder.entries == ["a.pub", "b.key"])
    }

    @Test("what cannot be written is an error that names it")
    func unwritable() throws {
        let file = try write("x", to: "file")
        let error = try #require(throws: KeyFileError.self) { try KeyFile.create(at: "\(file)/a.key", for: "a") }
        #expect(error.code == .system)
        #expect(error.description.hasPrefix(file))
        #expect(throws: KeyFileError.self) { try KeyFile.create(at: "/proc/none/a.key", for: "a") }
    }

    @Test("a file that others may read or write is refused", arguments: [0o644, 0o640, 0o604, 0o660, 0o601, 0o610])
    func modes(mode: Int) throws {
        let keys = try CurveKeyPair.generate()
        let path = try write(KeyFile.text(of: keys), mode: mode_t(mode))
        let error = try refusal(path)
        #expect(
            error.description == "\(path): mode: expected 0600, got 0\(String(mode, radix: 8)); run chmod 600 \(path)")
    }

    @Test("a file that only its owner may read is read", arguments: [0o600, 0o400, 0o700])
    func goodModes(mode: Int) throws {
        let keys = try CurveKeyPair.generate()
        #expect(try KeyFile.load(try write(KeyFile.text(of: keys), mode: mode_t(mode))) == keys)
        let link = "\(folder.path)/link.key"
        symlink("\(folder.path)/a.key", link)
        #expect(try KeyFile.load(link) == keys)
    }

    @Test("a file of another user is refused")
    func owner() throws {
        let path = try write(KeyFile.text(of: try .generate()))
        // Only root can give files away.
        guard geteuid() == 0, chown(path, 12345, 12345) == 0 else { return }
        #expect(try refusal(path).description.hasPrefix("\(path): owner: expected root, got user 12345; "))
    }

    @Test("only a regular file of at most 4 KiB is read")
    func kinds() throws {
        #expect(try refusal(folder.path).got == "a folder")
        #expect(try refusal("/dev/zero").description == "/dev/zero: expected a regular file, got something else")
        let pipe = "\(folder.path)/pipe"
        try #require(mkfifo(pipe, 0o600) == 0)
        #expect(try refusal(pipe).got == "something else")
        #expect(try refusal("\(folder.path)/none.key").description.contains("No such file or directory; make it with"))
        let keys = try CurveKeyPair.generate()
        let long = KeyFile.text(of: keys) + String(repeating: "#", count: 4096)
        #expect(try refusal(try write(long)).got == "\(long.utf8.count) bytes")
        let full = KeyFile.text(of: keys)
        let padded = full + String(repeating: "#", count: 4096 - full.utf8.count)
        #expect(try KeyFile.load(try write(padded)) == keys)
    }

    @Test("a text that is no key file is refused with its line, and without what could be a secret")
    func malformed() throws {
        let keys = try CurveKeyPair.generate()
        let other = try CurveKeyPair.generate()
        let secret = keys.secretKey.secretText
        let good = "public-key = \(keys.publicKey)\nsecret-key = \(secret)\n"
        let texts: [(String, String)] = [
            ("", "public-key: expected a public key, got none"),
            ("public-key = \(keys.publicKey)\n", "secret-key: expected a secret key, got none"),
            ("secret-key = \(secret)\n", "public-key: expected a public key, got none"),
            (secret, "line 1: expected public-key"), (good + secret, "line 3: expected public-key"),
            (good + "Secret-Key = \(secret)", "line 3"), (good + "secret-key = \(secret)", "secret-key once"),
            (good + "public-key = \(keys.publicKey)", "public-key once"),
            ("#\n\n" + good.replacing(" = ", with: " "), "line 3"),
            (good.dropLast(2) + "", "line 2: expected a key of 40 characters, got 39"),
            ("secret-key = \(secret)x", "got 41 characters"), ("secret-key =", "line 1: expected a key"),
            ("secret-key", "line 1: expected a key"),
            ("public-key = \(other.publicKey)\nsecret-key = \(secret)", "belongs to the secret key"),
            ("public-key = \(secret)\nsecret-key = \(keys.publicKey)", "belongs to the secret key"),
            ("public-key = \(Self.manualPublic)\nsecret-key = \(Self.manualSecret)", "libzmq's manual prints it"),
            ("\u{0}\u{1}\u{FF}", "line 1"), (String(repeating: "=", count: 4000), "line 1"),
        ]
        for (text, words) in texts {
            let error = try refusal(try write(text))
            #expect(error.description.contains(words), "\(error)")
            #expect(!error.description.contains(secret.prefix(20)))
            #expect(!error.description.contains(Self.manualSecret))
            #expect(!error.description.contains("\n"))
        }
    }

    @Test("every truncation and random change of a key file is refused or read, and nothing traps")
    func mutations() throws {
        let keys = try CurveKeyPair.generate()
        let text = KeyFile.text(of: keys)
        for length in 0..<text.utf8.count - 1 {
            #expect(throws: KeyFileError.self) { try KeyFile.parse(String(text.prefix(length)), place: "x") }
        }
        for index in text.utf8.indices {
            for byte in [0, 10, 32, 61, 126, 255] as [UInt8] {
                var bytes = Array(text.utf8)
                bytes[text.utf8.distance(from: text.utf8.startIndex, to: index)] = byte
                let read = try? KeyFile.parse(String(decoding: bytes, as: UTF8.self), place: "x")
                #expect(read == nil || read == keys)
            }
        }
    }
}
