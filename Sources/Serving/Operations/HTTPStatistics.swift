import NIOCore
import NIOHTTPTypes
import Synchronization

/// Counts of HTTP itself: requests by route and status, and connections.
final class HTTPStatistics: Sendable {
    private struct Key: Hashable {
        var route: String
        var status: Int
    }

    private struct State {
        var requests: [Key: UInt64] = [:]
        var connections = 0
    }

    private let state = Mutex(State())

    /// - Parameter route: one of the routes that there are, or `other`: clients choose paths, so they are no labels.
    func note(route: String, status: Int) {
        state.withLock { $0.requests[Key(route: route, status: status), default: 0] &+= 1 }
    }

    fileprivate func connected(_ change: Int) { state.withLock { $0.connections += change } }

    var snapshot: HTTPSnapshot {
        state.withLock { state in
            HTTPSnapshot(
                openConnections: state.connections,
                requests: state.requests.map { key, count in
                    HTTPSnapshot.Requests(route: key.route, status: key.status, count: count)
                }.sorted { ($0.route, $0.status) < ($1.route, $1.status) })
        }
    }
}

/// What ``HTTPStatistics`` has counted since the server's start.
package struct HTTPSnapshot: Sendable, Codable, Hashable {
    package struct Requests: Sendable, Codable, Hashable {
        /// `/v1/chat/completions`, or `other`.
        package var route: String
        package var status: Int
        package var count: UInt64
    }

    package var openConnections: Int
    package var requests: [Requests]
}

/// Counts one connection for as long as it is open.
final class ConnectionCounter: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let statistics: HTTPStatistics

    init(_ statistics: HTTPStatistics) { self.statistics = statistics }

    func handlerAdded(context: ChannelHandlerContext) { statistics.connected(1) }

    func handlerRemoved(context: ChannelHandlerContext) { statistics.connected(-1) }
}
