import NIOCore
import NIOPosix
import NIOSSL

/// A client that writes bytes as they are, and closes when `body` returns.
struct RawClient: ~Copyable {
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ""

    /// - Parameters:
    ///   - certificate: speaks TLS, with a server that has this one and no other.
    ///   - receiveBytes: what the system takes off the wire for it at most, before it reads.
    static func connect(
        _ port: Int, trusting certificate: String? = nil, receiveBytes: Int? = nil,
        _ body: (inout RawClient) async throws -> Void
    ) async throws {
        let context = try certificate.map { text in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)))
            return try NIOSSLContext(configuration: configuration)
        }
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let receiveBytes {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: SocketOptionValue(receiveBytes))
        }
        let channel =
            try await bootstrap
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            var client = RawClient(outbound: outbound, inbound: inbound.makeAsyncIterator())
            try await body(&client)
        }
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    func post(_ path: String, _ body: String) async throws {
        try await send(
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// What has come up to `mark`, which is taken too; all that came when the server closes first.
    mutating func read(until mark: String) async throws -> String {
        while true {
            if let range = received.firstRange(of: mark) {
                let text = String(received[..<range.upperBound])
                received = String(received[range.upperBound...])
                return text
            }
            guard let next = try await inbound.next() else { break }
            received += String(buffer: next)
        }
        return received
    }

    /// All until the server closes; a reset counts as that.
    mutating func readAll() async throws -> String {
        while let next = try? await inbound.next() { received += String(buffer: next) }
        return received
    }
}
