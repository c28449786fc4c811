import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Gives the answer to what is no HTTP the same JSON as every other error; the server answers it without a body,
/// below its routes, and closes.
final class ParserErrorBody: ChannelOutboundHandler, RemovableChannelHandler, Sendable {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServingLimits

    init(limits: ServingLimits) { self.limits = limits }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), head.status == .badRequest,
            head.headerFields[.contentLength] == "0", let body = try? BodyEncoder.encode(ErrorBody(error))
        else { return context.write(data, promise: promise) }
        head.headerFields[.contentLength] = "\(body.count)"
        head.headerFields[.contentType] = "application/json; charset=utf-8"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: promise)
    }

    private var error: ServingError {
        ServingError(
            .invalidHTTP, nil,
            "expected HTTP/1.1 with a head of at most \(limits.headerBytesMax) bytes and \(limits.headerCountMax) "
                + "fields, and one length; got something else")
    }
}
