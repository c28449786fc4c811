import Foundation
import Synchronization
import Threads
import ZeroMQ

/// Passes TCP connections on to a server, and cuts them after as many bytes towards the client as it is told.
///
/// A cut lets the client read what was passed on, and then the end; what the server had sent beyond that is lost.
final class Relay: Sendable {
    let endpoint: Endpoint
    /// Bytes that were passed on towards the client, over all connections.
    var passedBytes: Int { state.withLock { $0.passed } }

    private struct State: Sendable {
        var passed = 0
        /// Totals at which the connection is cut, ascending.
        var cuts: [Int]
        var cutCount = 0
        var isStopped = false
    }

    private let listener: Int32
    private let server: UInt16
    private let state: Mutex<State>

    init(to server: Endpoint, cuts: [Int]) throws {
        self.server = server.port
        state = Mutex(State(cuts: cuts.sorted()))
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard listener >= 0, isListening else { throw ZeroMQError(operation: "relay", errno: errno) }
        self.listener = listener
        endpoint = .loopback(port: UInt16(bigEndian: address.sin_port))
        _ = OwnedThread(name: "relay") { [self] in accept() }
    }

    var cutCount: Int { state.withLock { $0.cutCount } }

    func stop() {
        state.withLock { $0.isStopped = true }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }

    private func accept() {
        while !state.withLock({ $0.isStopped }) {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            let upstream = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.address(server)
            let isConnected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(upstream, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isConnected else {
                close(client)
                close(upstream)
                continue
            }
            let upwards = OwnedThread(name: "relay-up") { Self.pump(from: client, to: upstream) }
            let downwards = OwnedThread(name: "relay-down") { [self] in passOn(from: upstream, to: client) }
            _ = OwnedThread(name: "relay-end") {
                downwards.join()
                // The client reads the end, and closes its side.
                upwards.join()
                close(client)
                close(upstream)
            }
        }
        close(listener)
    }

    /// Requests, until the client has gone; what the server takes no more is read all the same.
    private static func pump(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            _ = send(target, buffer, count, Int32(MSG_NOSIGNAL))
        }
        shutdown(target, Int32(SHUT_RDWR))
    }

    private func passOn(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            let (allowed, isCut) = state.withLock { state -> (Int, Bool) in
                guard let cut = state.cuts.first, state.passed + count >= cut else {
                    state.passed += count
                    return (count, false)
                }
                let allowed = max(0, cut - state.passed)
                state.passed += allowed
                state.cuts.removeFirst()
                state.cutCount += 1
                return (allowed, true)
            }
            var sent = 0
            while sent < allowed {
                let count = buffer.withUnsafeBytes {
                    send(target, $0.baseAddress! + sent, allowed - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { break }
                sent += count
            }
            if isCut || sent < allowed { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_WR))
    }
}
