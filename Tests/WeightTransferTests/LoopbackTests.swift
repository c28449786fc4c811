import Foundation
import ModelFiles
import Sharding
import Synchronization
import Testing
import ZeroMQ

@testable import WeightTransfer

/// A server of samples, and a store to fetch them into.
struct Loopback {
    let context: Context
    let folder: TemporaryFolder
    let store: TensorStore
    let offer = WeightOffer()
    let server: WeightServer

    init(_ blobs: [SampleBlob] = [], limit: Int? = nil, options: WeightServer.Options = .init()) throws {
        context = try Context()
        folder = try TemporaryFolder()
        store = try TensorStore(cacheFolder: folder.path, byteLimit: limit)
        server = try WeightServer(options, offer: offer, context: context, logger: quiet)
        for blob in blobs { offer.add(blob.bytes, name: blob.wanted.name) }
    }

    var source: WeightFetch.Source { WeightFetch.Source(name: "server", endpoint: server.endpoint) }

    func fetch(
        _ blobs: [SampleBlob], from sources: [WeightFetch.Source]? = nil, handlers: WeightFetch.Handlers = .init(),
        settings: FetchMachine.Settings = .init()
    ) throws -> WeightFetch.Summary {
        try WeightFetch(
            blobs.map(\.wanted), from: sources ?? [source], into: store, context: context, logger: quiet,
            handlers: handlers, settings: settings
        ).join()
    }

    func expectStored(_ blobs: [SampleBlob]) throws {
        for blob in blobs {
            #expect(try store.entry(blob.hash, byteCount: blob.bytes.count)?.bytes == blob.bytes)
        }
    }
}

@Suite("Fetching over loopback")
struct LoopbackTests {
    static let sizes = [1, 63, 64, 4096, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 5_000_001, 17]

    @Test("every byte arrives, in the order that was asked for", arguments: [1, 3])
    func exact(connectionCount: Int) throws {
        let blobs = Self.sizes.enumerated().map { SampleBlob(byteCount: $1, seed: UInt64($0)) }
        let loopback = try Loopback(blobs)
        let ready = Recorder<WantedBlob>()
        var source = loopback.source
        source.connectionCount = connectionCount
        let summary = try loopback.fetch(
            blobs, from: [source], handlers: WeightFetch.Handlers(onReady: { blob, _ in ready.add(blob) }))
        #expect(ready.values == blobs.map(\.wanted))
        try loopback.expectStored(blobs)
        #expect(summary.receivedBytes == Self.sizes.reduce(0, +))
        #expect((summary.duplicateBytes, summary.lossCount, summary.presentBytes) == (0, 0, 0))
        #expect(loopback.server.statistics.sentBytes == summary.receivedBytes)
        #expect(loopback.server.statistics.sentBytesByPeer.values.reduce(0, +) == summary.receivedBytes)
        loopback.server.stop()
    }
}

/// Values that a handler was told, from any thread.
final class Recorder<Value: Sendable>: Sendable {
    private let recorded = Mutex<[Value]>([])

    var values: [Value] { recorded.withLock { $0 } }
    func add(_ value: Value) { recorded.withLock { $0.append(value) } }
}
