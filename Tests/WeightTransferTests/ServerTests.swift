import Foundation
import Sharding
import Testing
import ZeroMQ

@testable import WeightTransfer

@Suite("Serving")
struct ServerTests {
    @Test("several clients at once each get everything")
    func several() throws {
        let blobs = (0..<3).map { SampleBlob(byteCount: 2_000_000, seed: $0) }
        let loopback = try Loopback(blobs)
        let stores = try (0..<4).map { _ in try Loopback() }
        let fetches = try stores.map { other in
            try WeightFetch(
                blobs.map(\.wanted), from: [loopback.source], into: other.store, context: loopback.context,
                logger: quiet)
        }
        for (fetch, other) in zip(fetches, stores) {
            #expect(try fetch.join().receivedBytes == 6_000_000)
            try other.expectStored(blobs)
        }
        #expect(loopback.server.statistics.sentBytesByPeer.values.allSatisfy { $0 == 6_000_000 })
        #expect(loopback.server.statistics.sentBytesByPeer.count == 4)
    }

    @Test("a peer that asks for much and reads nothing has a bound, and holds nobody up")
    func greedy() throws {
        let large = SampleBlob(byteCount: 64 << 20, seed: 10)
        let small = SampleBlob(byteCount: 300_000, seed: 11)
        let loopback = try Loopback([large, small])
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        var options = SocketOptions.weightClient
        options.receiveQueueMax = 1
        let greedy = try loop.open(.dealer, options: options)
        try greedy.socket.connect(loopback.server.endpoint)
        let end = ContinuousClock.now + .seconds(20)
        for index in 0..<64 {
            let request = WeightRequest(hash: large.hash, offset: index << 20, byteCount: 1 << 20)
            try greedy.send(try request.frame(), in: loop, until: end)
        }
        for _ in 0..<3 {
            #expect(try loopback.fetch([small]).receivedBytes == 300_000)
            #expect(loopback.store.clear().removedCount == 1)
        }
        // Its queue, and what the kernel's buffers and libzmq took.
        let sentBytes = loopback.server.statistics.sentBytesByPeer.values.max() ?? 0
        #expect(sentBytes < 40 << 20, "\(sentBytes)")
        // What it reads after all makes room for the rest.
        var received = 0
        while received < 64 {
            try #require(ContinuousClock.now < end)
            while let message = try greedy.socket.receive() {
                #expect(message.payload.byteCount == 1 << 20)
                received += 1
            }
            try loop.wait(until: .now + .milliseconds(5))
        }
    }

    @Test("more requests than wait for one peer are refused as busy")
    func busy() throws {
        let blob = SampleBlob(byteCount: 1 << 20, seed: 20)
        var serverOptions = WeightServer.Options()
        serverOptions.queuedBytesPerPeerMax = 1
        serverOptions.requestsPerPeerMax = 4
        let loopback = try Loopback([blob], options: serverOptions)
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let dealer = try loop.open(.dealer, options: .weightClient)
        try dealer.socket.connect(loopback.server.endpoint)
        let end = ContinuousClock.now + .seconds(20)
        let request = try WeightRequest(hash: blob.hash, offset: 0, byteCount: 1 << 20).frame()
        for _ in 0..<100 { try dealer.send(request, in: loop, until: end) }
        var (chunks, refusals) = (0, 0)
        while chunks + refusals < 100 {
            try #require(ContinuousClock.now < end)
            try loop.wait(until: end)
            while let message = try dealer.socket.receive() {
                if message.payload.byteCount > 0 { chunks += 1 } else { refusals += 1 }
            }
        }
        #expect(chunks >= 4)
        #expect(loopback.server.statistics.refusals == refusals)
        // A fetch asks again until it has everything.
        #expect(try loopback.fetch([blob]).receivedBytes == 1 << 20)
    }

    @Test("a port that is taken is an error with the endpoint")
    func taken() throws {
        let first = try Loopback()
        var options = WeightServer.Options()
        options.bind = first.server.endpoint
        let error = #expect(throws: WeightTransferError.self) { try Loopback(options: options) }
        #expect(error?.description.contains(first.server.endpoint.description) == true)
        first.server.stop()
    }
}
