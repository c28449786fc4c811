import Synchronization

/// Asks the system's resolver for a host's address, on a thread of its own: it may wait for the network for long, which
/// a thread with sockets must not, and libzmq's own thread even less.
package final class HostLookup: Sendable {
    private let outcome: Outcome

    private final class Outcome: Sendable {
        let result = Mutex<Result<Endpoint, ZeroMQError>?>(nil)
    }

    /// - Parameter wakeup: is signalled when the result is there.
    package init(_ endpoint: Endpoint, wakeup: Wakeup) {
        let outcome = Outcome()
        self.outcome = outcome
        // Lets go of what nobody waits for any more when the resolver has returned.
        _ = OwnedThread(name: "shard lookup") {
            let found = Result { () throws(ZeroMQError) -> Endpoint in
                let addresses = try HostAddresses.look(up: endpoint.host, port: endpoint.port)
                guard let host = addresses.first?.host else {
                    throw ZeroMQError(
                        operation: "look up", endpoint: endpoint.host, errno: 0, reason: "it has no address")
                }
                return Endpoint(host: host, port: endpoint.port)
            }
            outcome.result.withLock { $0 = found }
            wakeup.signal()
        }
    }

    /// The endpoint with an address in the name's place, IPv4 where it has one; nil until the resolver has answered.
    package var result: Result<Endpoint, ZeroMQError>? { outcome.result.withLock { $0 } }
}
