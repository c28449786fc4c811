import Foundation

/// What a program says of keys that it has made: the public one, and what to do with it.
package struct KeysReport: Encodable {
    private let publicKey: String
    private let fingerprint: String
    private let secretKeyFile: String
    private let publicKeyFile: String

    package init(publicKey: String, fingerprint: String, secretKeyFile: String, publicKeyFile: String) {
        self.publicKey = publicKey
        self.fingerprint = fingerprint
        self.secretKeyFile = secretKeyFile
        self.publicKeyFile = publicKeyFile
    }

    /// - Parameter next: what to do, line by line.
    package func lines(next: [String]) -> [String] {
        let lines = [
            "public key   \(publicKey)",
            "fingerprint  \(fingerprint)",
            "secret key   \(secretKeyFile), for its owner only: it stays on this machine",
        ]
        return (lines + (next.isEmpty ? [] : [""]) + next).map(Program.singleLine)
    }

    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
