import Foundation
import ModelFiles
import ZeroMQ

/// A file with a secret key and the public key that belongs to it, for its owner only:
///
///     # shard secret key of worker a; keep it to yourself
///     public-key = Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID
///     secret-key = …
///
/// Beside `a.key` stands `a.pub`, which has the public key only, for everybody.
package enum KeyFile {
    package static let bytesMax = 4096

    /// Makes new keys and writes both files, which must not exist; all of it or nothing is written.
    ///
    /// - Parameters:
    ///   - path: `keys/a.key`. Its folder is made where it is missing, for its owner only.
    ///   - holder: who they are for, in the files' first lines: `worker a`.
    @discardableResult
    package static func create(at path: String, for holder: String) throws(KeyFileError) -> CurveKeyPair {
        let keys: CurveKeyPair
        do throws(ZeroMQError) {
            keys = try CurveKeyPair.generate()
        } catch {
            throw KeyFileError(.system, place: path, expected: "to make keys", got: error.description)
        }
        let publicPath = publicPath(of: path)
        try NewFile.makeFolder(of: path)
        let secretFile = try NewFile.write(text(of: keys, for: holder), to: path, mode: 0o600)
        let publicFile = try NewFile.write(
            publicText(of: keys.publicKey, for: holder), to: publicPath, mode: 0o644)
        try NewFile.syncFolder(of: path)
        secretFile.keep()
        publicFile.keep()
        return keys
    }

    /// Reads keys from a regular file that belongs to us or root, and that nobody else may read or write.
    package static func load(_ path: String) throws(KeyFileError) -> CurveKeyPair {
        try parse(try KeyFileBytes.read(path, as: .secret), place: path)
    }

    /// Reads a key file's text, wherever it came from.
    ///
    /// - Parameter place: names it in errors.
    package static func parse(_ text: String, place: String) throws(KeyFileError) -> CurveKeyPair {
        let entries = try KeyFileEntries(text, place: place)
        let shown = try entries.requiredPublicKey()
        guard let secret = entries.secretKey else {
            throw KeyFileError(
                .refused, place: place, field: "secret-key", expected: "a secret key", got: "none",
                hint: "name the .key file, not the .pub file")
        }
        let keys: CurveKeyPair
        do throws(ZeroMQError) {
            keys = try CurveKeyPair(secret: secret)
        } catch {
            throw KeyFileError(
                .refused, place: place, field: "secret-key", expected: "one that can be used",
                got: "one that cannot: \(error.reason ?? error.description)", hint: error.hint)
        }
        guard keys.publicKey == shown else {
            // What stands there could be a secret that was pasted into the wrong line.
            throw KeyFileError(
                .refused, place: place, field: "public-key", expected: "the one that belongs to the secret key",
                got: "another", hint: "make new keys, or copy the file again")
        }
        return keys
    }

    /// A key file's text, the secret key in it.
    package static func text(of keys: CurveKeyPair, for holder: String = "this program") -> String {
        """
        # shard secret key of \(holder.onOneLine); keep it to yourself
        public-key = \(keys.publicKey)
        secret-key = \(keys.secretKey.secretText)

        """
    }

    static func publicText(of key: CurvePublicKey, for holder: String) -> String {
        """
        # shard public key of \(holder.onOneLine)
        public-key = \(key)

        """
    }

    /// `keys/a.pub` for `keys/a.key`.
    package static func publicPath(of path: String) -> String {
        (path.hasSuffix(".key") ? String(path.dropLast(4)) : path) + ".pub"
    }
}
