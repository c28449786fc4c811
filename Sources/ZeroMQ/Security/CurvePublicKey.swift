/// The key by which others know a peer, and encrypt for it (CurveZMQ, ZeroMQ RFC 26). It is no secret.
package struct CurvePublicKey: Sendable, Hashable, CustomStringConvertible {
    let key: CurveKeyBytes

    init(_ key: CurveKeyBytes) { self.key = key }

    /// Reads 40 characters of Z85; nil for everything else.
    package init?(_ text: String) {
        guard let key = CurveKeyBytes(text: text.utf8) else { return nil }
        self.key = key
    }

    /// nil unless there are 32.
    package init?(bytes: some Collection<UInt8>) {
        guard let key = CurveKeyBytes(bytes) else { return nil }
        self.key = key
    }

    /// 32 of them.
    package var bytes: [UInt8] { key.bytes }

    /// 40 characters of Z85: printable, without quotes, backslashes, commas and spaces.
    package var description: String { key.text }

    /// Whether everybody can have its secret key, because libzmq's manual prints it. Such a key is never admitted.
    package var isPrintedInManual: Bool { ManualKeys.publicKeys.contains(self) }
}

/// The key pairs in the manual of libzmq (zmq_curve), which find their way into configurations.
enum ManualKeys {
    static let publicKeys: Set<CurvePublicKey> = Set(
        ["rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"]
            .compactMap { CurvePublicKey($0) })
    static let secretKeys: Set<CurveSecretKey> = Set(
        ["JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"]
            .compactMap { CurveSecretKey($0) })
}
