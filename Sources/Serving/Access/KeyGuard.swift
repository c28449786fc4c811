import Hummingbird

/// Lets in who presents a key of the API, and tells the routes whose it is.
struct KeyGuard: RouterMiddleware {
    typealias Context = ServingContext

    let access: APIAccess
    /// What everybody may see.
    let openPaths: Set<String>

    func handle(
        _ request: Request, context: ServingContext, next: (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        if openPaths.contains(request.uri.path) { return try await next(request, context) }
        guard let secret = Self.secret(request.headers[.authorization]), let key = access.key(presented: secret) else {
            throw ServingError(
                .unauthorized, nil, "expected a key of this server as Authorization: Bearer KEY, got none that is one")
        }
        var context = context
        context.caller = APICaller(key: key, access: access)
        return try await next(request, context)
    }

    /// What stands behind `Bearer`, a word that may be written in any case (RFC 9110, section 11.1).
    static func secret(_ field: String?) -> String? {
        guard let field, let space = field.firstIndex(of: " "), field[..<space].lowercased() == "bearer" else {
            return nil
        }
        return String(field[space...].drop { $0 == " " })
    }
}
