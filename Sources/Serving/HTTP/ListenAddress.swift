import NIOCore

/// Where the server listens.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    /// 0 takes any free one.
    package let port: Int

    /// - Parameter hasKeys: whether clients must present a key, without which nothing listens beyond loopback.
    package init(host: String, port: Int, hasKeys: Bool = false) throws(ServingError) {
        guard (0...Int(UInt16.max)).contains(port) else {
            throw .expected("a port from 0 to \(UInt16.max)", got: "\(port)", host)
        }
        guard hasKeys || Self.isLoopback(host) else {
            throw ServingError(
                .bind, "\(host):\(port)", "HTTP beyond this machine needs API keys; give some, or use 127.0.0.1")
        }
        guard !host.isEmpty else { throw .expected("a host", got: "none", "address") }
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    package var isLoopback: Bool { Self.isLoopback(host) }

    /// `localhost`, 127.0.0.0/8 or ::1.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" { return true }
        guard let address = try? SocketAddress(ipAddress: host, port: 0) else { return false }
        switch address {
        case .v4(let address): return UInt32(bigEndian: address.address.sin_addr.s_addr) >> 24 == 127
        case .v6: return address.ipAddress == "::1"
        case .unixDomainSocket: return false
        }
    }
}
