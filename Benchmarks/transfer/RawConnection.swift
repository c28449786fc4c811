import Foundation
import ZeroMQ

/// A: one connection, frames of 1 MiB, nothing done with them.
enum RawConnection {
    private static let frameBytes = 1 << 20

    static func measure(byteCount: Int) throws -> Measurement {
        let frameCount = byteCount / frameBytes
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull)
        let endpoint = try pull.socket.bind(.loopback())
        let (own, children) = (ProcessorTime.own, ProcessorTime.children)
        let peer = try Peer([
            "--role", "send", "--endpoint", endpoint.description, "--bytes", "\(frameCount * frameBytes)",
        ])
        var received = 0
        var start = ContinuousClock.now
        while received < frameCount {
            while let message = try pull.socket.receive() {
                guard message.header.byteCount == frameBytes else { throw BenchmarkError("a frame of another size") }
                if received == 0 { start = .now }
                received += 1
            }
            if received < frameCount { try loop.wait(until: .now + .seconds(10)) }
        }
        let time = start.duration(to: .now)
        try peer.end()
        return Measurement(
            byteCount: (frameCount - 1) * frameBytes, seconds: time / .seconds(1),
            senderSeconds: ProcessorTime.children - children, receiverSeconds: ProcessorTime.own - own)
    }

    static func send(to endpoint: String, byteCount: Int) throws {
        guard let endpoint = Endpoint(endpoint) else { throw BenchmarkError("\(endpoint): no endpoint") }
        let push = try Socket(.push, in: try Context())
        try push.connect(endpoint)
        // Never freed: libzmq sends from it until the process ends.
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: frameBytes, alignment: 4096)
        bytes.initializeMemory(as: UInt8.self, repeating: 0x5A)
        for _ in 0..<byteCount / frameBytes {
            while true {
                try push.waitUntilWritable(until: .now + .seconds(10))
                if try push.send(Message(sharing: UnsafeRawBufferPointer(bytes)) {}) == .sent { break }
            }
        }
        _ = FileHandle.standardInput.readDataToEndOfFile()
    }
}
