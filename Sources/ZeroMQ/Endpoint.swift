import Glibc

/// A TCP address as people write it: `tcp://127.0.0.1:5555`, `tcp://[::1]:0`, `tcp://nodeA:*`.
package struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address, without the brackets of IPv6; `*` is every interface.
    package let host: String
    /// 0 asks for any free port.
    package let port: UInt16

    package static func loopback(port: UInt16 = 0) -> Endpoint { Endpoint(host: "127.0.0.1", port: port) }

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// nil unless it reads `tcp://host:port`, with a port from 0 to 65535 or `*`.
    package init?(_ text: String) {
        let prefix = "tcp://"
        guard text.hasPrefix(prefix), text.utf8.count <= 512, let colon = text.lastIndex(of: ":") else { return nil }
        let hostStart = text.index(text.startIndex, offsetBy: prefix.count)
        guard colon >= hostStart else { return nil }
        let portText = text[text.index(after: colon)...]
        let digits = portText == "*" ? "0" : portText
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
            return nil
        }
        var host = text[hostStart..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { return nil }
            host = host.dropFirst().dropLast()
            guard host.contains(":"), host.utf8.allSatisfy(Self.isAddressByte) else { return nil }
        } else {
            guard host == "*" || host.utf8.allSatisfy(Self.isNameByte) else { return nil }
            // libzmq takes no name that begins otherwise.
            guard host == "*" || host.first.map({ $0.isLetter || $0.isNumber }) == true else { return nil }
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    /// Whether only this machine can reach it. A name other than `localhost` is not taken for one that is.
    package var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "127" else { return false }
        return parts.allSatisfy { part in
            part.utf8.allSatisfy { (48...57).contains($0) } && UInt8(part) != nil
        }
    }

    /// Whether it stands for every address of this machine; such an endpoint listens, and nobody can connect to it.
    package var isWildcard: Bool {
        if host == "*" { return true }
        var address = in6_addr()
        var fourBytes = in_addr()
        if inet_pton(AF_INET, host, &fourBytes) == 1 { return fourBytes.s_addr == 0 }
        guard inet_pton(AF_INET6, host, &address) == 1 else { return false }
        let bytes = withUnsafeBytes(of: address) { Array($0) }
        // `::`, and `::ffff:0.0.0.0`.
        let isMapped = bytes[10] == 0xFF && bytes[11] == 0xFF
        return bytes.enumerated().allSatisfy { $1 == 0 || isMapped && (10...11).contains($0) }
    }

    package var description: String { "tcp://\(bracketedHost):\(port)" }

    /// libzmq binds to addresses and interfaces, and asks no resolver.
    var bindText: String { host == "localhost" ? "tcp://127.0.0.1:\(port)" : description }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        isNameByte(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
    }
}
