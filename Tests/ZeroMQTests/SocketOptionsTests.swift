import CZeroMQ
import Testing

@testable import ZeroMQ

@Suite("SocketOptions")
struct SocketOptionsTests {
    private func value(_ option: Int32, _ options: SocketOptions) throws -> Int32 {
        let socket = try Socket(.pull, in: try Context(), options: options)
        var value: Int32 = -1
        var size = 4
        #expect(zmq_getsockopt(socket.handle, option, &value, &size) == 0)
        return value
    }

    @Test("a receive queue is bounded by bytes, messages, or both")
    func receiveBound() throws {
        #expect(try value(ZMQ_RCVHWM, SocketOptions()) == 64)
        let mebibyte = 1 << 20
        for (bytes, queue, expected) in [
            (512 * mebibyte, 64, 8), (64 * mebibyte, 64, 2), (1, 64, 2), (Int.max, 256, 256), (1 << 30, 4, 4),
        ] {
            let options = SocketOptions(
                frameBytesMax: 64 * mebibyte, receiveQueueMax: queue, receiveBytesMax: bytes)
            #expect(try value(ZMQ_RCVHWM, options) == Int32(expected))
        }
        #expect(SocketOptions(frameBytesMax: 0, receiveBytesMax: 100).receiveHighWaterMark == 64)
    }

    @Test("connections that wait to be taken are bounded")
    func backlog() throws {
        #expect(try value(ZMQ_BACKLOG, SocketOptions()) == 64)
        #expect(try value(ZMQ_BACKLOG, SocketOptions(backlogMax: 7)) == 7)
    }
}
