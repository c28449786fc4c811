import Foundation
import ZeroMQ

/// What the lines of a key file say: `name = value`, empty lines, and comments behind `#`.
struct KeyFileEntries {
    private(set) var publicKey: CurvePublicKey?
    private(set) var secretKey: CurveSecretKey?
    private let place: String

    /// - Throws: ``KeyFileError`` with the line's number, never its text: it could be a secret key.
    init(_ text: String, place: String) throws(KeyFileError) {
        self.place = place
        guard text.utf8.count <= KeyFile.bytesMax else {
            throw KeyFileError(
                .refused, place: place, expected: "at most \(KeyFile.bytesMax) bytes", got: "\(text.utf8.count)")
        }
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            try read(line, field: "line \(index + 1)")
        }
    }

    func requiredPublicKey() throws(KeyFileError) -> CurvePublicKey {
        guard let publicKey else {
            throw KeyFileError(.refused, place: place, field: "public-key", expected: "a public key", got: "none")
        }
        return publicKey
    }

    private mutating func read(_ line: String, field: String) throws(KeyFileError) {
        let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        switch parts.first {
        case "public-key":
            guard publicKey == nil else { throw twice("public-key", field) }
            publicKey = try key(parts, field) { CurvePublicKey($0) }
        case "secret-key":
            guard secretKey == nil else { throw twice("secret-key", field) }
            secretKey = try key(parts, field) { CurveSecretKey($0) }
        default:
            throw KeyFileError(
                .refused, place: place, field: field, expected: "public-key = … or secret-key = …",
                got: "something else")
        }
    }

    private func key<Key>(
        _ parts: [String], _ field: String, _ make: (String) -> Key?
    ) throws(KeyFileError) -> Key {
        guard parts.count == 2, let key = make(parts[1]) else {
            throw KeyFileError(
                .refused, place: place, field: field, expected: "a key of 40 characters",
                got: parts.count == 2 ? "\(parts[1].count) characters that are none" : "none")
        }
        return key
    }

    private func twice(_ name: String, _ field: String) -> KeyFileError {
        KeyFileError(.refused, place: place, field: field, expected: "\(name) once", got: "it twice")
    }
}
