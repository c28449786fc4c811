import Sharding
import ZeroMQ

/// The receiving end's part in measuring: an echo for what asks for one.
package enum LinkAnswer {
    /// A thread that has waited for so long had nothing else to do when the message came.
    package static let waitMin = Duration.microseconds(20)

    /// Answers a message that came just now. One that cannot be answered at once is not answered at all.
    ///
    /// - Parameters:
    ///   - socket: a ROUTER.
    ///   - sender: as the socket names the one that asked.
    package static func send(
        _ echo: LinkEcho, to sender: [UInt8], over socket: borrowing Socket
    ) throws(ZeroMQError) {
        let frame: [UInt8]
        do throws(WireError) {
            frame = try echo.frame()
        } catch {
            preconditionFailure("an echo is within the wire's bounds: \(error)")
        }
        _ = try socket.send(to: sender, Message(frame))
    }
}
