import NIOCore
import NIOPosix
import Synchronization

/// A server on loopback that answers each request with the bytes of a script, cut as the script says.
struct ScriptedServer {
    enum Line: Sendable {
        case send(String)
        case close
        /// Neither writes nor closes any more.
        case hang
    }

    let url: String
    /// Heads and bodies of requests, as they came.
    let requests: Requests

    final class Requests: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        fileprivate func add(_ text: String) { texts.withLock { $0.append(text) } }
    }

    /// Serves while `body` runs.
    ///
    /// - Parameter script: gets each request's head and body, and its number from 0.
    static func run<Result>(
        _ script: @escaping @Sendable (String, Int) -> [Line], _ body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let requests = Requests()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Player(requests, script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedServer(url: "http://127.0.0.1:\(channel.localAddress?.port ?? 0)", requests: requests)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    private final class Player: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let requests: Requests
        private let script: (String, Int) -> [Line]
        private var received = ""

        init(_ requests: Requests, _ script: @escaping (String, Int) -> [Line]) {
            self.requests = requests
            self.script = script
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            while let request = takeRequest() {
                let number = requests.all.count
                requests.add(request)
                for line in script(request, number) {
                    switch line {
                    case .send(let text): context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
                    case .close: return context.close(promise: nil)
                    case .hang: return
                    }
                }
            }
        }

        private func takeRequest() -> String? {
            guard let end = received.firstRange(of: "\r\n\r\n") else { return nil }
            let head = received[..<end.lowerBound].lowercased()
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }.flatMap {
                Int($0.dropFirst("content-length:".count).drop { $0 == " " })
            }
            let rest = received[end.upperBound...]
            guard rest.utf8.count >= length ?? 0,
                let last = rest.utf8.index(rest.startIndex, offsetBy: length ?? 0, limitedBy: rest.endIndex)
            else { return nil }
            defer { received = String(received[last...]) }
            return String(received[..<last])
        }
    }
}

extension [ScriptedServer.Line] {
    /// A whole answer in chunks: these events, one write each.
    static func stream(_ events: [String], done: Bool = true) -> Self {
        let data = events.map { "data: \($0)\n\n" } + (done ? ["data: [DONE]\n\n"] : [])
        return [.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")]
            + data.map { .send(chunk($0)) } + [.send("0\r\n\r\n")]
    }

    static func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }

    static func whole(_ status: String, _ body: String, _ headers: String = "") -> Self {
        [
            .send(
                "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n"
                    + body)
        ]
    }

    /// A piece for each text, and the server's count of them.
    static func texts(_ texts: [String]) -> Self {
        let usage = "{\"choices\": [], \"usage\": {\"prompt_tokens\": 4, \"completion_tokens\": \(texts.count)}}"
        return stream(texts.map { "{\"choices\": [{\"text\": \"\($0)\"}]}" } + [usage])
    }
}
