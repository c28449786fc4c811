import Glibc

/// Which internet protocol an endpoint needs. libzmq wants to know before it binds or connects, and asks a resolver for
/// addresses of one family only.
extension Endpoint {
    private var isIPv6Address: Bool { host.contains(":") }

    /// Addresses and `*` say it themselves; a network interface is asked for: IPv6 where it has nothing else.
    var bindsIPv6: Bool {
        if isIPv6Address { return true }
        return NetworkInterfaces.families(of: host) == [.ipv6]
    }

    /// IPv4 where the name has such an address, since that is what `*` listens on. A name that is not known yet may turn
    /// out to be either, which libzmq can tell apart only with IPv6.
    func connectsIPv6(families: (String) -> Set<AddressFamily> = HostAddresses.families) -> Bool {
        if isIPv6Address { return true }
        return isName && !families(host).contains(.ipv4)
    }

    /// Whether a resolver has to be asked for its address.
    package var isName: Bool {
        if isIPv6Address || host == "*" { return false }
        var address = in_addr()
        return inet_pton(AF_INET, host, &address) != 1
    }
}

/// Versions of the internet protocol.
enum AddressFamily: Hashable {
    case ipv4
    case ipv6

    init?(_ number: Int32) {
        switch number {
        case AF_INET: self = .ipv4
        case AF_INET6: self = .ipv6
        default: return nil
        }
    }
}

/// The machine's own network interfaces.
enum NetworkInterfaces {
    /// Families in which an interface has addresses; empty where there is none of that name.
    static func families(of name: String) -> Set<AddressFamily> {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var families: Set<AddressFamily> = []
        var next = first
        while let interface = next {
            if String(cString: interface.pointee.ifa_name) == name, let address = interface.pointee.ifa_addr,
                let family = AddressFamily(Int32(address.pointee.sa_family))
            {
                families.insert(family)
            }
            next = interface.pointee.ifa_next
        }
        return families
    }
}
