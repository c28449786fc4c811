import Glibc

/// What the system's resolver knows of a host. It may wait for the network.
enum HostAddresses {
    /// Families in which the host has addresses; empty where it is not known.
    static func families(of host: String) -> Set<AddressFamily> {
        Set(((try? look(up: host, port: 0)) ?? []).compactMap(\.family))
    }

    /// Its addresses, IPv4 first, otherwise in the resolver's order.
    static func look(up host: String, port: UInt16) throws(ZeroMQError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &first)
        defer { if let first { freeaddrinfo(first) } }
        guard code == 0 else {
            throw ZeroMQError(
                operation: "look up", endpoint: host, errno: code == EAI_SYSTEM ? Glibc.errno : EHOSTUNREACH,
                reason: code == EAI_SYSTEM ? nil : String(cString: gai_strerror(code)),
                hint: "is the host's name right?")
        }
        var addresses: [SocketAddress] = []
        var next = first
        while let entry = next {
            if let address = entry.pointee.ai_addr,
                let found = SocketAddress(address, byteCount: entry.pointee.ai_addrlen)
            {
                addresses.append(found)
            }
            next = entry.pointee.ai_next
        }
        return addresses.filter { $0.family == .ipv4 } + addresses.filter { $0.family != .ipv4 }
    }
}

/// This machine's own address, as others see it.
package enum LocalAddress {
    /// The address that the system would send from to reach a host, in numbers. Nothing is sent to it.
    ///
    /// Looks names up, so it may wait for the network.
    ///
    /// - Throws: ``ZeroMQError`` where the host is not known, or there is no way to it.
    package static func toward(host: String, port: UInt16) throws(ZeroMQError) -> String {
        // Port 0 cannot be connected to; any other leads the same way.
        let addresses = try HostAddresses.look(up: host, port: port == 0 ? 9 : port)
        var failure = EHOSTUNREACH
        for address in addresses {
            do throws(ZeroMQError) {
                return try local(toward: address)
            } catch {
                failure = error.errno
            }
        }
        throw ZeroMQError(
            operation: "way to it", endpoint: host, errno: failure, hint: "is the network up, and the address right?")
    }

    private static func local(toward address: SocketAddress) throws(ZeroMQError) -> String {
        let family = Int32(address.storage.ss_family)
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .last("socket") }
        defer { close(descriptor) }
        guard address.withAddress({ connect(descriptor, $0, $1) }) == 0 else { throw .last("connect") }
        guard let host = SocketAddress(localOf: descriptor)?.host else { throw .last("local address") }
        return host
    }
}
