import NIOCore

/// Where the server listens: a host of this machine only, and a port.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    /// 0 takes any free one.
    package let port: Int

    /// - Throws: ``ServingError`` for a host beyond loopback: what listens there needs keys, which are not there yet.
    package init(host: String, port: Int) throws(ServingError) {
        guard (0...Int(UInt16.max)).contains(port) else {
            throw .expected("a port from 0 to \(UInt16.max)", got: "\(port)", host)
        }
        guard Self.isLoopback(host) else {
            throw ServingError(
                .bind, "\(host):\(port)",
                "HTTP beyond this machine needs API keys, which are not there yet; use 127.0.0.1")
        }
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

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
