import Glibc
import Testing

@testable import ZeroMQ

@Suite("The number of connections", .timeLimit(.minutes(1)))
struct ConnectionLimitTests {
    @Test("strangers beyond it are turned away, and who belongs there goes on and is let in", arguments: [false, true])
    func limit(isSecured: Bool) throws {
        let context = try Context()
        let loop = SocketLoop(context: context, wakeup: try Wakeup())
        let server = try CurveKeyPair.generate()
        let client = try CurveKeyPair.generate()
        let admission = isSecured ? try Admission(in: context) : nil
        admission?.allow([client.publicKey], in: .data)
        var options = SocketOptions(connectionsMax: 8)
        if isSecured { options.security = .server(server, domain: .data) }
        let listener = try loop.open(.router, options: options)
        let endpoint = try listener.socket.bind(.loopback())
        var dealing = SocketOptions()
        if isSecured { dealing.security = .client(client, server: server.publicKey) }

        func deliver(_ text: String, over socket: LoopSocket) throws -> Bool {
            let deadline = ContinuousClock.now + .seconds(20)
            var isSent = false
            while ContinuousClock.now < deadline {
                if !isSent { isSent = try socket.socket.send(Message(Array(text.utf8))) == .sent }
                try loop.wait(until: .now + .milliseconds(20))
                while let message = try listener.socket.receive() {
                    if message.header.bytes == Array(text.utf8) { return true }
                }
            }
            return false
        }
        let first = try loop.open(.dealer, options: dealing)
        try first.socket.connect(endpoint)
        #expect(try deliver("first", over: first))

        var strangers: [Int32] = []
        defer { for stranger in strangers { close(stranger) } }
        for _ in 0..<40 {
            strangers.append(try connectedSocket(to: endpoint.port))
            try loop.wait(until: .now + .milliseconds(2))
        }
        // The kernel says of a connection that was ended that it can be read, and that nothing more comes.
        let open = try (0..<100).reduce(strangers.count) { (count, _) in
            guard count > 8 else { return count }
            try loop.wait(until: .now + .milliseconds(20))
            return strangers.count { !isEnded($0) }
        }
        #expect(open <= 8)
        #expect(try deliver("still", over: first))
        if isSecured {
            let second = try loop.open(.dealer, options: dealing)
            try second.socket.connect(endpoint)
            #expect(try deliver("second", over: second))
        }
    }

    private func connectedSocket(to port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(descriptor >= 0 && outcome == 0)
        return descriptor
    }

    /// Whether the other end has closed it; what it has sent before is read away.
    private func isEnded(_ descriptor: Int32) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 256)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count == 0 { return true }
            if count < 0 { return errno != EAGAIN }
        }
    }
}
