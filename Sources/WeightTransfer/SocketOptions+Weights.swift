import Sharding
import ZeroMQ

extension SocketOptions {
    /// Of those who ask for weights. Chunks may take a second each on a slow link, so silence counts later than on
    /// other sockets.
    package static let weightClient = SocketOptions(
        frameBytesMax: WireLimits.weightChunkBytesMax, sendQueueMax: 128, receiveQueueMax: 128, linger: .zero,
        heartbeat: Heartbeat(interval: .seconds(1), timeout: .seconds(10)))

    /// Of whoever serves them; requests are small.
    package static let weightServer = SocketOptions(
        frameBytesMax: 2 * WireLimits.weightHeaderBytesMax, sendQueueMax: 128, receiveQueueMax: 256,
        heartbeat: Heartbeat(interval: .seconds(1), timeout: .seconds(10)))
}
