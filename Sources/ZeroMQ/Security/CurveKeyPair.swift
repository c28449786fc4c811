import CZeroMQ

/// Who we are: a secret key and the public key that belongs to it. Its texts show the public one only.
package struct CurveKeyPair: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    package let publicKey: CurvePublicKey
    package let secretKey: CurveSecretKey

    /// A new pair, from the system's random numbers.
    ///
    /// - Throws: ``ZeroMQError`` where libzmq was built without CURVE.
    package static func generate() throws(ZeroMQError) -> CurveKeyPair {
        try requireCurve()
        var publicText = [CChar](repeating: 0, count: CurveKeyBytes.textLength + 1)
        var secretText = publicText
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else { throw .last("new keys") }
        guard let publicKey = CurvePublicKey(text(publicText)), let secretKey = CurveSecretKey(text(secretText)) else {
            throw ZeroMQError(operation: "new keys", errno: EINVAL)
        }
        return CurveKeyPair(publicKey: publicKey, secretKey: secretKey)
    }

    /// Computes the public key.
    ///
    /// - Throws: ``ZeroMQError`` for a key that libzmq's manual prints, and where libzmq was built without CURVE.
    package init(secret: CurveSecretKey) throws(ZeroMQError) {
        try Self.requireCurve()
        guard !ManualKeys.secretKeys.contains(secret) else {
            throw ZeroMQError(
                operation: "secret key", errno: EACCES, reason: "libzmq's manual prints it, so it is no secret",
                hint: "make keys of your own")
        }
        var publicText = [CChar](repeating: 0, count: CurveKeyBytes.textLength + 1)
        guard zmq_curve_public(&publicText, secret.secretText) == 0 else { throw .last("public key") }
        guard let publicKey = CurvePublicKey(Self.text(publicText)) else {
            throw ZeroMQError(operation: "public key", errno: EINVAL)
        }
        self.init(publicKey: publicKey, secretKey: secret)
    }

    private init(publicKey: CurvePublicKey, secretKey: CurveSecretKey) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    package var description: String { publicKey.description }
    package var debugDescription: String { description }

    static func requireCurve() throws(ZeroMQError) {
        guard zmq_has("curve") != 0 else {
            throw ZeroMQError(
                operation: "keys", errno: ENOTSUP, reason: "this libzmq was built without CURVE",
                hint: "install one that was built with libsodium")
        }
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
