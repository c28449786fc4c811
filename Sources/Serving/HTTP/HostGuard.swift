import Hummingbird

/// Refuses requests that a web page of another origin made a browser send to this machine (DNS rebinding, and
/// plain cross-site posts).
struct HostGuard: RouterMiddleware {
    typealias Context = ServingContext

    func handle(
        _ request: Request, context: ServingContext, next: (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        if let host = request.head.authority, !Self.isLoopback(authority: host) {
            throw ServingError(
                .hostRefused, "Host", "expected localhost, 127.0.0.1 or [::1], got another name; this server is local")
        }
        if let origin = request.headers[.origin], !Self.isLoopback(origin: origin) {
            throw ServingError(.hostRefused, "Origin", "expected a page of this machine, got another origin")
        }
        return try await next(request, context)
    }

    static func isLoopback(origin: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
            return isLoopback(authority: String(origin.dropFirst(scheme.count)))
        }
        return false
    }

    /// - Parameter authority: a host, with or without `:port`.
    static func isLoopback(authority: String) -> Bool {
        var host = authority.lowercased()
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            guard isPort(host[host.index(after: end)...]) else { return false }
            host = String(host[host.index(after: host.startIndex)..<end])
        } else if let colon = host.firstIndex(of: ":") {
            guard isPort(host[colon...]) else { return false }
            host = String(host[..<colon])
        }
        return ListenAddress.isLoopback(host)
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && UInt16(text.dropFirst()) != nil)
    }
}
