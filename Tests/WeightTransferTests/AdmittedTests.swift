import Sharding
import Testing
import ZeroMQ

@testable import WeightTransfer

@Suite("Serving those whose keys are admitted")
struct AdmittedTests {
    private let context: Context
    private let admission: Admission
    private let server: WeightServer
    private let serverKeys: CurveKeyPair
    private let blob = SampleBlob(byteCount: 48 << 20, seed: 1)

    init() throws {
        context = try Context()
        admission = try Admission(in: context) { _ in }
        serverKeys = try CurveKeyPair.generate()
        var options = WeightServer.Options()
        options.secure(serverKeys, admission)
        server = try WeightServer(options, offer: WeightOffer(), context: context, logger: quiet)
        server.offer.add(blob.bytes, name: "blob")
    }

    private func fetch(as keys: CurveKeyPair) throws -> WeightFetch.Summary {
        let folder = try TemporaryFolder()
        var options = SocketOptions.weightClient
        options.security = .client(keys, server: serverKeys.publicKey)
        var settings = FetchMachine.Settings()
        settings.connectWithin = .seconds(2)
        return try WeightFetch(
            [blob.wanted],
            from: [WeightFetch.Source(name: "server", endpoint: server.endpoint, socket: options)],
            into: try TensorStore(cacheFolder: folder.path), context: context, logger: quiet, handlers: .init(),
            settings: settings
        ).join()
    }

    @Test("who is on the list fetches, and who is not gets nothing")
    func listed() throws {
        let (known, stranger) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        server.admit([known.publicKey])
        #expect(try fetch(as: known).receivedBytes == blob.bytes.count)
        let sent = server.statistics.sentBytes
        #expect(throws: WeightTransferError.self) { try fetch(as: stranger) }
        #expect(server.statistics.sentBytes == sent)
    }

    @Test("a key that is taken off the list gets no more of what it asked for, and others go on")
    func removed() throws {
        let (removed, other) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        server.admit([removed.publicKey, other.publicKey])
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        var options = SocketOptions.weightClient
        options.security = .client(removed, server: serverKeys.publicKey)
        options.receiveQueueMax = 1
        let dealer = try loop.open(.dealer, options: options, monitored: true)
        try dealer.socket.connect(server.endpoint)
        let end = ContinuousClock.now + .seconds(20)
        for index in 0..<48 {
            let request = WeightRequest(hash: blob.hash, offset: index << 20, byteCount: 1 << 20)
            try dealer.send(try request.frame(), in: loop, until: end)
        }
        // It reads nothing, so that most of it waits in the server.
        while server.statistics.sentBytes == 0 {
            try #require(ContinuousClock.now < end)
            try loop.wait(until: .now + .milliseconds(5))
        }
        server.admit([other.publicKey])
        var hasEnded = false
        var received = 0
        while !hasEnded {
            try #require(ContinuousClock.now < end)
            while let event = try dealer.nextConnectionEvent() { if case .disconnected = event { hasEnded = true } }
            while try dealer.socket.receive() != nil { received += 1 }
            try loop.wait(until: .now + .milliseconds(5))
        }
        #expect(received < 48)
        #expect(try fetch(as: other).receivedBytes == blob.bytes.count)
    }
}
