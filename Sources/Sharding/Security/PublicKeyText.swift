import Crypto
import Foundation
import ZeroMQ

/// A public key as people give it: the key itself, or the path of a `.pub` file.
package enum PublicKeyText {
    private static let expected = "a public key of 40 characters, or the path of a .pub file"

    /// - Throws: ``KeyFileError`` also for the keys that libzmq's manual prints.
    package static func parse(_ textOrPath: String) throws(KeyFileError) -> CurvePublicKey {
        // A key may end like a file's name; then the file counts, where there is one.
        let isPath = textOrPath.hasSuffix(".pub")
        if let key = CurvePublicKey(textOrPath), !isPath || access(textOrPath, F_OK) != 0 {
            return try checked(key, place: "public key")
        }
        guard isPath else {
            let isSecretFile = textOrPath.hasSuffix(".key")
            throw KeyFileError(
                .refused, place: "public key", expected: expected,
                got: isSecretFile ? "a .key file, which holds the secret one" : "\(textOrPath.count) characters",
                hint: isSecretFile ? "name the .pub file beside it" : nil)
        }
        let entries = try KeyFileEntries(try KeyFileBytes.read(textOrPath, as: .open), place: textOrPath)
        guard entries.secretKey == nil else {
            throw KeyFileError(
                .refused, place: textOrPath, field: "secret-key", expected: "no secret key in a .pub file", got: "one",
                hint: "take it out; who could read the file knows it, so make new keys")
        }
        return try checked(try entries.requiredPublicKey(), place: textOrPath)
    }

    private static func checked(_ key: CurvePublicKey, place: String) throws(KeyFileError) -> CurvePublicKey {
        guard !key.isPrintedInManual else {
            throw KeyFileError(
                .refused, place: place, expected: "a key of your own",
                got: "one whose secret key libzmq's manual prints", hint: "make keys with keygen")
        }
        return key
    }
}

extension CurvePublicKey {
    /// SHA-256 of the key, short enough to be read out: `SHA256:` and 43 characters of base64, as ssh writes it.
    package var fingerprint: String {
        let digest = Data(SHA256.hash(data: Data(bytes)))
        return "SHA256:" + digest.base64EncodedString().prefix { $0 != "=" }
    }
}
