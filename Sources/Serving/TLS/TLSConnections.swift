import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// HTTP within TLS: each connection begins with the certificate that is current then.
///
/// All that watches and bounds a connection of HTTP in clear does so here, the handshake included.
struct TLSConnections<Base: HTTPChannelHandler>: HTTPChannelHandler {
    let base: Base
    let certificate: ServerCertificate

    var responder: Responder { base.responder }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.context))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
