import Hummingbird
import Logging
import NIOCore

/// Gives every error its HTTP form, counts requests, and logs one line of each.
struct ErrorResponder: RouterMiddleware {
    typealias Context = ServingContext

    let limits: ServingLimits
    let statistics: HTTPStatistics

    func handle(
        _ request: Request, context: ServingContext, next: (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response: Response
        do {
            guard (request.head.path ?? "").utf8.count <= limits.requestLineBytesMax else {
                throw ServingError(
                    .requestLineTooLong, nil,
                    "request line: expected at most \(limits.requestLineBytesMax) bytes, got more")
            }
            response = try await next(request, context)
        } catch {
            let error = Self.servingError(error, request, limits)
            var refusal = try Self.response(to: error, context.logger)
            if error.code == .methodNotAllowed, let methods = Routes.methods(of: request.uri.path) {
                refusal.headers[.allow] = methods.joined(separator: ", ")
            }
            response = refusal
        }
        statistics.note(route: Routes.label(of: request.uri.path), status: response.status.code)
        context.logger.debug(
            "request",
            metadata: [
                "method": "\(request.method)", "path": "\(request.uri.path.prefix(100))",
                "status": "\(response.status.code)",
                "ms": "\(Int((ContinuousClock.now - start).milliseconds))",
            ])
        return response
    }

    private static func servingError(_ error: any Error, _ request: Request, _ limits: ServingLimits) -> ServingError {
        switch error {
        case let error as ServingError: return error
        case is NIOTooManyBytesError:
            return ServingError(
                .bodyTooLarge, nil, "body: expected at most \(limits.bodyBytesMax) bytes, got more; send less")
        case let error as HTTPError where error.status == .notFound:
            if let methods = Routes.methods(of: request.uri.path) {
                return ServingError(
                    .methodNotAllowed, nil,
                    "\(request.uri.path.prefix(100)): expected \(methods.joined(separator: " or ")), got \(request.method)"
                )
            }
            return ServingError(
                .notFound, nil,
                "no \(request.method) \(request.uri.path.prefix(100)) here; there are "
                    + Routes.all.joined(separator: ", "))
        default: return ServingError(.failed, nil, "unexpected error: \(error)")
        }
    }

    private static func response(to error: ServingError, _ logger: Logger) throws(ServingError) -> Response {
        if error.status >= 500, error.code != .cancelled {
            // That the model cannot run now is told where it happens; requests and probes only meet it.
            logger.log(
                level: error.code == .unavailable ? .info : .warning, "request failed",
                metadata: ["error": "\(error)"])
        }
        var response = try Response.json(ErrorBody(error), status: .init(code: error.status))
        if error.code == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"shard\"" }
        if let seconds = error.retryAfterSeconds { response.headers[.retryAfter] = "\(seconds)" }
        return response
    }
}
