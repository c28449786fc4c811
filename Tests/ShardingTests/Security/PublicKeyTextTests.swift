import Foundation
import Testing
import ZeroMQ

@testable import Sharding

@Suite("Public keys as text")
struct PublicKeyTextTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("a key or the path of a .pub file names a key")
    func both() throws {
        let keys = try KeyFile.create(at: "\(folder.path)/a.key", for: "a")
        #expect(try PublicKeyText.parse(keys.publicKey.description) == keys.publicKey)
        #expect(try PublicKeyText.parse("\(folder.path)/a.pub") == keys.publicKey)
    }

    @Test("a key that ends like a file's name is a key where there is no such file")
    func ambiguous() throws {
        let text = String(repeating: "0", count: 36) + ".pub"
        let key = try #require(CurvePublicKey(text))
        #expect(try PublicKeyText.parse(text) == key)
    }

    @Test("what is neither is refused, and never shown where it could be a secret")
    func refused() throws {
        let keys = try KeyFile.create(at: "\(folder.path)/a.key", for: "a")
        func message(_ text: String) throws -> String {
            let error = try #require(throws: KeyFileError.self) { _ = try PublicKeyText.parse(text) }
            #expect(!error.description.contains(keys.secretKey.secretText.prefix(20)))
            return error.description
        }
        let expected = "public key: expected a public key of 40 characters, or the path of a .pub file, got "
        #expect(try message("") == expected + "0 characters")
        #expect(try message(keys.secretKey.secretText + "x") == expected + "41 characters")
        #expect(try message("\(folder.path)/a.key").hasSuffix("name the .pub file beside it"))
        #expect(try message("\(folder.path)/b.pub").contains("No such file"))
        #expect(try message(KeyFileTests.manualPublic).contains("libzmq's manual prints"))
        let path = "\(folder.path)/c.pub"
        try KeyFile.text(of: keys).write(toFile: path, atomically: true, encoding: .utf8)
        try #require(chmod(path, 0o644) == 0)
        #expect(try message(path).contains("secret-key: expected no secret key in a .pub file"))
        try KeyFile.publicText(of: keys.publicKey, for: "c").write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try PublicKeyText.parse(path) == keys.publicKey)
        try #require(chmod(path, 0o666) == 0)
        #expect(try message(path) == "\(path): mode: expected 0644, got 0666; run chmod 644 \(path)")
        try "".write(toFile: path, atomically: false, encoding: .utf8)
        try #require(chmod(path, 0o644) == 0)
        #expect(try message(path) == "\(path): public-key: expected a public key, got none")
    }

    @Test("a fingerprint is the key's SHA-256, as ssh writes it")
    func fingerprint() throws {
        // printf of 32 zero bytes | sha256sum | xxd -r -p | base64
        let zeros = try #require(CurvePublicKey(bytes: [UInt8](repeating: 0, count: 32)))
        #expect(zeros.fingerprint == "SHA256:Zmh6rfhivXdsj8GLjp+OIAiXFIVu4jOzkCpZHQ1fKSU")
    }

    @Test(
        "words are quoted for the shell only where they must be",
        arguments: [
            ("keys/a.key", "keys/a.key"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("$HOME", "'$HOME'"),
            ("~/x", "'~/x'"), ("a*", "'a*'"), ("ab!{c}", "'ab!{c}'"), ("é", "'é'"),
        ])
    func shell(word: String, expected: String) { #expect(ShellText.quoted(word) == expected) }

    @Test("YAML reads quoted values and keys back as they were")
    func yaml() throws {
        let values = [
            "a", "1", "true", "No", "null", "-", "a: b", "#x", "\"", "\\", "a\tb\u{1}", "x y", "node-1.example", ".5",
            try CurveKeyPair.generate().publicKey.description, "@`%&*!|>{}[]'?,",
        ]
        for value in values {
            let text = "\(YAMLText.key(value)): \(YAMLText.quoted(value))\n"
            guard case .mapping(let entries) = try YAMLDocument(text).root else {
                Issue.record("no mapping: \(text)")
                continue
            }
            #expect(entries.count == 1)
            #expect(entries.first?.key.scalar?.string == value, "\(text)")
            #expect(entries.first?.value.scalar?.string == value, "\(text)")
        }
        #expect(YAMLText.key("node-1.a_b") == "node-1.a_b")
        #expect(YAMLText.key("true") == "\"true\"")
        #expect(YAMLText.key("1") == "\"1\"")
    }
}
