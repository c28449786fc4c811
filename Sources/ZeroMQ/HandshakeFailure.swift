import CZeroMQ

/// Why a connection did not come about, in words for a log.
enum HandshakeFailure {
    /// - Parameter isOurs: whether this side decided; otherwise the other one did, about us.
    static func reason(status: UInt32, isOurs: Bool) -> String {
        let meaning: String? =
            switch status {
            case 300: "try again later"
            case 400 where isOurs: "its key is not in our list"
            case 400: "the key is not in the other side's list"
            case 500: "the admission failed"
            default: nil
            }
        return "status \(status)" + (meaning.map { ": \($0)" } ?? "")
    }

    /// - Parameter errno: what libzmq found when the connection ended early; it may stem from something else.
    static func reason(errno: Int32) -> String {
        switch errno {
        case 0, EAGAIN: "it ended during the handshake"
        case EFAULT: "no admission is running, so nobody is let in"
        default: "it ended during the handshake: \(String(cString: zmq_strerror(errno)))"
        }
    }

    /// - Parameter protocolError: one of ZMQ_PROTOCOL_ERROR_ in zmq.h.
    static func reason(protocolError: Int32) -> String {
        let code = "protocol error 0x\(String(protocolError, radix: 16))"
        guard let meaning = meaning(protocolError) else { return code }
        return "\(meaning) (\(code))"
    }

    private static func meaning(_ protocolError: Int32) -> String? {
        switch protocolError {
        case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
            "the peer speaks another security mechanism: one side has keys, the other none"
        case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC:
            "what came cannot be decrypted: the two sides do not have each other's right public keys"
        case ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE: "the exchange of keys failed"
        case ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND, ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE:
            "a command out of turn: the peer does not speak ZeroMQ, or not as we do"
        case ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_METADATA: "a peer of the wrong socket type, or malformed properties"
        case ZMQ_PROTOCOL_ERROR_ZMTP_UNSPECIFIED,
            ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED...ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_WELCOME:
            "a malformed command: the peer does not speak ZeroMQ"
        case ZMQ_PROTOCOL_ERROR_ZAP_UNSPECIFIED...ZMQ_PROTOCOL_ERROR_ZAP_INVALID_METADATA:
            "the admission's reply is malformed"
        default: nil
        }
    }
}
