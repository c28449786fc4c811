import Foundation
import ModelFiles
import ZeroMQ

/// A: one connection, frames of 1 MiB, nothing done with them.
enum RawConnection {
    private static let frameBytes = 1 << 20

    /// - Parameter isHot: Sends one frame over and over, from a core's cache, instead of the file.
    static func measure(_ model: SampleModel, isHot: Bool, keys: [String]) throws -> Measurement {
        let byteCount = model.byteCount
        let receiver = try Peer(["--role", "receive", "--bytes", "\(byteCount)"] + keys)
        let sender = try Peer(
            ["--role", "send", "--endpoint", try receiver.line(), "--path", model.path] + (isHot ? ["--hot"] : [])
                + keys)
        let words = try receiver.line().split(separator: " ").compactMap { Double($0) }
        guard words.count == 3 else { throw BenchmarkError("the receiver did not say what it measured") }
        try receiver.end()
        return Measurement(
            byteCount: Int(words[0]), seconds: words[1], senderSeconds: try sender.end(), receiverSeconds: words[2])
    }

    /// Says its endpoint, then bytes, seconds and processor time from the first frame to the last.
    static func receive(byteCount: Int, _ keys: BenchmarkKeys?) throws {
        let frameCount = byteCount / frameBytes
        let context = try Context()
        let admission = try keys?.admit(in: context, to: .data)
        defer { admission?.stop() }
        let loop = SocketLoop(context: context, wakeup: try Wakeup())
        let pull = try loop.open(.pull, options: SocketOptions().serving(keys, .data))
        try Peer.say("\(try pull.socket.bind(.loopback()))")
        var (received, start, own) = (0, ContinuousClock.now, 0.0)
        while received < frameCount {
            while let message = try pull.socket.receive() {
                guard message.header.byteCount == frameBytes else { throw BenchmarkError("a frame of another size") }
                if received == 0 { (start, own) = (.now, ProcessorTime.own) }
                received += 1
            }
            if received < frameCount { try loop.wait(until: .now + .seconds(10)) }
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        try Peer.say("\((frameCount - 1) * frameBytes) \(seconds) \(ProcessorTime.own - own)")
        Peer.waitForEnd()
    }

    static func send(_ path: String, to endpoint: String, isHot: Bool, _ keys: BenchmarkKeys?) throws {
        guard let endpoint = Endpoint(endpoint) else { throw BenchmarkError("\(endpoint): no endpoint") }
        let push = try Socket(.push, in: try Context(), options: SocketOptions().asking(keys))
        try push.connect(endpoint)
        let file = try MappedFile(path: path)
        for index in 0..<file.byteCount / frameBytes {
            let start = isHot ? 0 : index * frameBytes
            let frame = UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + frameBytes])
            while true {
                try push.waitUntilWritable(until: .now + .seconds(10))
                // The file stays mapped until the process ends.
                if try push.send(Message(sharing: frame) { withExtendedLifetime(file) {} }) == .sent { break }
            }
        }
        Peer.waitForEnd()
    }
}
