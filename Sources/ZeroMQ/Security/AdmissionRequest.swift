/// libzmq's question whether a peer may connect (ZAP, ZeroMQ RFC 27), read from its frames.
struct AdmissionRequest: Sendable, Hashable {
    static let version = Array("1.0".utf8)
    /// Frames that are kept of a request: one more than a well-formed one has with the longest credentials.
    static let framesMax = 9
    /// As ZAP bounds each of its fields.
    static let frameBytesMax = 255

    enum Proof: Sendable, Hashable {
        /// The peer holds the secret key that belongs to this one.
        case key(CurvePublicKey)
        /// A mechanism that proves nothing that is accepted here: NULL, PLAIN, GSSAPI.
        case none(mechanism: String)
    }

    /// Repeated in the reply.
    let id: [UInt8]
    /// nil where the socket gave none.
    let domain: AdmissionDomain?
    /// The peer's network address, without a port.
    let address: String
    let proof: Proof

    /// Reads version, id, domain, address, routing id, mechanism and credentials, in this order.
    ///
    /// - Returns: nil for what is no request of this version.
    init?(frames: [[UInt8]]) {
        guard (6..<Self.framesMax).contains(frames.count), frames[0] == Self.version,
            frames.allSatisfy({ $0.count <= Self.frameBytesMax })
        else { return nil }
        id = frames[1]
        domain = AdmissionDomain(Self.text(frames[2]))
        address = Self.text(frames[3])
        let mechanism = Self.text(frames[5])
        if mechanism == "CURVE" {
            guard frames.count == 7, let key = CurvePublicKey(bytes: frames[6]) else { return nil }
            proof = .key(key)
        } else {
            proof = .none(mechanism: mechanism)
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// The answer, as frames: version, id, status, text, user id, metadata.
struct AdmissionReply: Sendable, Hashable {
    /// The property of a connection's messages that holds its number.
    static let numberProperty = "Admission"

    var id: [UInt8]
    var status: String
    var text: String
    /// What the messages of an admitted peer say of their sender.
    var userID = ""
    /// Counts the peers that were let in; no two connections have the same.
    var number: UInt64?

    static func admitted(_ id: [UInt8], as key: CurvePublicKey, number: UInt64) -> AdmissionReply {
        AdmissionReply(id: id, status: "200", text: "OK", userID: key.description, number: number)
    }

    static func refused(_ id: [UInt8]) -> AdmissionReply {
        AdmissionReply(id: id, status: "400", text: "not on the list")
    }

    static func malformed(_ frames: [[UInt8]]) -> AdmissionReply {
        let id = frames.count > 1 ? Array(frames[1].prefix(AdmissionRequest.frameBytesMax)) : []
        return AdmissionReply(id: id, status: "500", text: "malformed request")
    }

    var frames: [[UInt8]] {
        [AdmissionRequest.version, id, Array(status.utf8), Array(text.utf8), Array(userID.utf8), metadata]
    }

    /// A name behind its length in one byte, a value behind its length in four, big-endian.
    private var metadata: [UInt8] {
        guard let number else { return [] }
        let name = Array(Self.numberProperty.utf8)
        let value = Array("\(number)".utf8)
        return [UInt8(name.count)] + name + [0, 0, 0, UInt8(value.count)] + value
    }
}
