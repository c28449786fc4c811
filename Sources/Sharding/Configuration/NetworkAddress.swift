import Foundation

/// A host and a TCP port, as configuration and arguments write them.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or address without brackets.
    package var host: String
    /// 0 takes any free port.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `tcp://HOST:PORT` or `HOST:PORT`; the port may be `*` or 0 for any free one, an IPv6 host stands in
    /// brackets.
    ///
    /// - Returns: nil where the text is no such address; ``expectation`` says what was expected.
    package init?(_ text: String) {
        var rest = Substring(text)
        if let scheme = rest.range(of: "://") {
            guard rest[..<scheme.lowerBound] == "tcp" else { return nil }
            rest = rest[scheme.upperBound...]
        }
        guard let colon = rest.lastIndex(of: ":") else { return nil }
        var host = rest[..<colon]
        let portText = rest[rest.index(after: colon)...]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) }) else { return nil }
        } else {
            guard host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._*".contains($0)) }) else {
                return nil
            }
            guard !host.contains("*") || host == "*" else { return nil }
            guard Self.isPlausible(host) else { return nil }
        }
        guard !host.isEmpty, host.utf8.count <= 253 else { return nil }
        if portText == "*" {
            self.init(host: String(host), port: 0)
            return
        }
        guard !portText.isEmpty, portText.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(portText),
            port <= 65535
        else { return nil }
        self.init(host: String(host), port: port)
    }

    package static let expectation = "tcp://HOST:PORT with a port from 1 to 65535, or 0 or * for any free one"
    package static let expectationWithoutScheme = "HOST:PORT with a port from 1 to 65535, or 0 or * for any free one"

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy(Self.isOctet)
    }

    /// Whether it stands for every address of a machine.
    package var isWildcard: Bool { ["*", "0.0.0.0", "::"].contains(host) }

    /// In libzmq's form.
    package var endpoint: String { "tcp://\(bracketedHost):\(port == 0 ? "*" : String(port))" }

    package var description: String { "\(bracketedHost):\(port)" }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    /// Something made of digits and dots must be an IPv4 address, or it is a typing error.
    private static func isPlausible(_ host: Substring) -> Bool {
        guard host.allSatisfy({ $0.isNumber || $0 == "." }) else { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy(isOctet)
    }

    private static func isOctet(_ text: Substring) -> Bool {
        // Swift reads a sign too, which no IPv4 address has.
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } && UInt8(text) != nil
    }
}
