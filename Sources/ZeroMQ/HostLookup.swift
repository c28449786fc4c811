import Synchronization
import Threads

/// Asks the system's resolver for a host's address, on a thread of its own: it may wait for the network for long, which
/// a thread with sockets must not, and libzmq's own thread even less.
package final class HostLookup: Sendable {
    private let outcome = Mutex<Result<Endpoint, ZeroMQError>?>(nil)

    /// - Parameter wakeup: is signalled when the result is there.
    package init(_ endpoint: Endpoint, wakeup: Wakeup) {
        // Runs until the resolver has returned, also when nobody waits for it any more.
        _ = OwnedThread(name: "shard lookup") {
            let found = Result { () throws(ZeroMQError) in try Self.resolved(endpoint) }
            self.outcome.withLock { $0 = found }
            wakeup.signal()
        }
    }

    private static func resolved(_ endpoint: Endpoint) throws(ZeroMQError) -> Endpoint {
        guard let host = try HostAddresses.look(up: endpoint.host, port: endpoint.port).first?.host else {
            throw ZeroMQError(operation: "look up", endpoint: endpoint.host, errno: 0, reason: "it has no address")
        }
        return Endpoint(host: host, port: endpoint.port)
    }

    /// The endpoint with an address in the name's place, IPv4 where it has one; nil until the resolver has answered.
    package var result: Result<Endpoint, ZeroMQError>? { outcome.withLock { $0 } }
}
