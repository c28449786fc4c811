import CZeroMQ
import Testing

@testable import ZeroMQ

@Suite("Reasons of failed handshakes")
struct HandshakeFailureTests {
    @Test("codes of libzmq become words, and unknown ones stay numbers")
    func words() {
        #expect(
            HandshakeFailure.reason(protocolError: 0x1100_0002)
                == "the peer speaks another security mechanism: one side has keys, the other none "
                + "(protocol error 0x11000002)")
        #expect(HandshakeFailure.reason(protocolError: 0x1100_0001).contains("cannot be decrypted"))
        #expect(HandshakeFailure.reason(protocolError: 0x1000_0013).contains("malformed command"))
        #expect(HandshakeFailure.reason(protocolError: 0x2000_0001).contains("admission's reply"))
        #expect(HandshakeFailure.reason(protocolError: 0x7000_0000) == "protocol error 0x70000000")
        #expect(
            HandshakeFailure.reason(status: 400, isOurs: false)
                == "status 400: the key is not in the other side's list")
        #expect(HandshakeFailure.reason(status: 400, isOurs: true) == "status 400: its key is not in our list")
        #expect(HandshakeFailure.reason(status: 777, isOurs: true) == "status 777")
        #expect(HandshakeFailure.reason(errno: EFAULT) == "no admission is running, so nobody is let in")
        #expect(HandshakeFailure.reason(errno: 0) == "it ended during the handshake")
        #expect(HandshakeFailure.reason(errno: ECONNRESET).hasPrefix("it ended during the handshake: "))
    }
}
