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

    @Test(
        "a connection that is cut at 20 random places resumes, with at most one chunk sent twice for each",
        arguments: [1, 2])
    func cuts(seed: UInt64) throws {
        let blobs = [300, 4_000_000, 70_000, 1 << 20, 6_000_000, 9_000_000].enumerated().map {
            SampleBlob(byteCount: $1, seed: 100 * seed + UInt64($0))
        }
        let total = blobs.reduce(0) { $0 + $1.bytes.count }
        var random = SplitMix(seed)
        let loopback = try Loopback(blobs)
        // No two within the bytes that a handshake takes.
        let cuts = (0..<20).map { total / 20 * $0 + Int.random(in: 1000..<total / 20 - 1000, using: &random) }
        let relay = try Relay(to: loopback.server.endpoint, cuts: cuts)
        defer { relay.stop() }
        var source = WeightFetch.Source(name: "relay", endpoint: relay.endpoint)
        source.socket.reconnectAfter = .milliseconds(1)
        let summary = try loopback.fetch(blobs, from: [source])
        try loopback.expectStored(blobs)
        #expect(relay.cutCount == 20)
        #expect(summary.lossCount == 20)
        #expect(summary.receivedBytes == total)
        #expect(summary.duplicateBytes <= 20 << 20)
        // What reached the client beyond the bytes themselves: headers, handshakes, and what was cut of a chunk.
        #expect(relay.passedBytes <= total + 20 << 20 + 200_000, "\(relay.passedBytes - total)")
    }

    @Test("a fetch that was ended is continued by the next one, which hashes what is there")
    func resumed() throws {
        let blobs = [SampleBlob(byteCount: 3_000_000, seed: 1), SampleBlob(byteCount: 500_000, seed: 2)]
        let loopback = try Loopback(blobs)
        try loopback.store.putFront(blobs[0].bytes[..<1_234_567], of: blobs[0])
        let summary = try loopback.fetch(blobs)
        try loopback.expectStored(blobs)
        #expect(summary.resumedBytes == 1_234_567)
        #expect(summary.receivedBytes == 3_500_000 - 1_234_567)
        let again = try loopback.fetch(blobs)
        #expect((again.presentBytes, again.receivedBytes) == (3_500_000, 0))
    }

    @Test("a front that is not what it was is found out, and blamed on nobody")
    func wrongFront() throws {
        let blob = SampleBlob(byteCount: 1_000_000, seed: 3)
        let loopback = try Loopback([blob])
        try loopback.store.putFront(blob.bytes[1..<300_001], of: blob)
        let summary = try loopback.fetch([blob])
        try loopback.expectStored([blob])
        #expect(summary.dropped.isEmpty)
        #expect(summary.receivedBytes == 1_700_000)
    }

    @Test("a source of wrong bytes is dropped by name, the next one used, and nothing wrong is stored")
    func corrupt() throws {
        let blobs = [SampleBlob(byteCount: 200_000, seed: 4), SampleBlob(byteCount: 100_000, seed: 5)]
        let good = try Loopback(blobs)
        let bad = try Loopback()
        var wrong = blobs[0].bytes
        wrong[77] ^= 1
        bad.offer.add([(blobs[0].hash, MappedFile(bytes: wrong, name: "wrong"), 0..<wrong.count)])
        bad.offer.add(blobs[1].bytes, name: "right")
        var source = bad.source
        source.name = "bad"
        let summary = try good.fetch(blobs, from: [source, good.source])
        try good.expectStored(blobs)
        #expect(Array(summary.dropped.keys) == ["bad"])
        #expect(summary.dropped["bad"]?.contains("sent tensor 4 with SHA-256") == true)
        // Alone, it ends the fetch, and leaves no part behind.
        let error = #expect(throws: WeightTransferError.self) { try bad.fetch([blobs[0]]) }
        #expect(error?.code == .sources)
        #expect(bad.store.list().items.isEmpty)
    }

    @Test("what a source has not, has only half of, or no longer has as it was, comes from the next one")
    func sources() throws {
        let folder = try TemporaryFolder()
        let blobs = (10..<14).map { SampleBlob(byteCount: 150_000, seed: $0) }
        let last = try Loopback(blobs)
        let first = try Loopback([blobs[0]])
        first.offer.add([(blobs[1].hash, MappedFile(bytes: Array(blobs[1].bytes[..<75_000]), name: "half"), 0..<75_000)]
        )
        let path = folder.path + "/changing"
        try Data(blobs[2].bytes).write(to: URL(fileURLWithPath: path))
        first.offer.add([(blobs[2].hash, try MappedFile(path: path), 0..<150_000)])
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: Data([1, 2, 3]))
        try handle.close()
        let summary = try last.fetch(blobs, from: [first.source, last.source])
        try last.expectStored(blobs)
        #expect(summary.dropped.isEmpty)
        #expect(first.server.statistics.sentBytes < 150_000 + 75_000)
        let error = #expect(throws: WeightTransferError.self) { try first.fetch([blobs[2]]) }
        #expect(error?.description.contains("refused it (changed)") == true)
        let other = #expect(throws: WeightTransferError.self) { try first.fetch([blobs[3]]) }
        #expect(other?.description.contains("tensor 13: expected a source with the 150000 bytes") == true)
    }

    @Test("what is withdrawn is served no more")
    func withdrawn() throws {
        let blob = SampleBlob(byteCount: 1000, seed: 20)
        let loopback = try Loopback()
        let (ticket, hash) = loopback.offer.add(blob.bytes, name: "blob")
        let again = loopback.offer.add(blob.bytes, name: "again")
        #expect(hash == blob.hash)
        loopback.offer.withdraw(ticket)
        #expect(try loopback.fetch([blob]).receivedBytes == 1000)
        loopback.offer.withdraw(again.ticket)
        #expect(loopback.offer.hashes.isEmpty)
        #expect(loopback.store.clear().removedCount == 1)
        #expect(throws: WeightTransferError.self) { try loopback.fetch([blob]) }
    }

    @Test("tensors of one store are served to another")
    func storeToStore() throws {
        let blob = SampleBlob(byteCount: 2_000_000, seed: 21)
        let loopback = try Loopback()
        let other = try Loopback()
        other.offer.add([try other.store.put(blob)])
        #expect(try loopback.fetch([blob], from: [other.source]).receivedBytes == 2_000_000)
        try loopback.expectStored([blob])
    }

    @Test("a fetch that does not fit is refused before a byte is asked for")
    func doesNotFit() throws {
        let blobs = (30..<34).map { SampleBlob(byteCount: 100_000, seed: $0) }
        let loopback = try Loopback(blobs, limit: 350_000)
        let error = #expect(throws: WeightTransferError.self) { try loopback.fetch(blobs) }
        #expect(error?.code == .cacheFull)
        #expect(error?.description.contains("room for 400000 bytes") == true)
        #expect(loopback.server.statistics.sentBytes == 0)
        #expect(try loopback.fetch(Array(blobs[..<3])).receivedBytes == 300_000)
        // Once nobody uses those, they make room.
        #expect(try loopback.fetch([blobs[3]]).receivedBytes == 100_000)
    }

    @Test("two fetches into one store share what each of them gets")
    func together() throws {
        let blobs = (40..<46).map { SampleBlob(byteCount: 1_500_000, seed: $0) }
        let loopback = try Loopback(blobs)
        let fetches = try [blobs, blobs.reversed()].map { order in
            try WeightFetch(
                order.map(\.wanted), from: [loopback.source], into: loopback.store, context: loopback.context,
                logger: quiet)
        }
        let summaries = try fetches.map { try $0.join() }
        try loopback.expectStored(blobs)
        let sums = summaries.map { $0.receivedBytes + $0.presentBytes + $0.resumedBytes }
        #expect(summaries.reduce(0) { $0 + $1.receivedBytes } == 9_000_000, "\(sums)")
    }

    @Test("a cancelled fetch ends with an error, for whoever waits too")
    func cancelled() throws {
        let blob = SampleBlob(byteCount: 1000, seed: 50)
        let loopback = try Loopback()
        // Nobody listens there.
        let nobody = WeightFetch.Source(name: "nobody", endpoint: .loopback(port: 9))
        let fetch = try WeightFetch(
            [blob.wanted], from: [nobody], into: loopback.store, context: loopback.context, logger: quiet)
        fetch.cancel()
        let error = #expect(throws: WeightTransferError.self) { try fetch.wait(for: blob.wanted) }
        #expect(error?.code == .cancelled)
        #expect(throws: WeightTransferError.self) { try fetch.join() }
    }

    @Test("whoever waits for a tensor gets it while later ones arrive; progress is told")
    func waiting() throws {
        let blobs = (60..<64).map { SampleBlob(byteCount: 3_000_000, seed: $0) }
        let loopback = try Loopback(blobs)
        let progress = Recorder<WeightFetch.Progress>()
        let fetch = try WeightFetch(
            blobs.map(\.wanted) + [WantedBlob(hash: blobs[0].hash, byteCount: 0, name: "nothing")],
            from: [loopback.source], into: loopback.store, context: loopback.context, logger: quiet,
            handlers: WeightFetch.Handlers(onProgress: { progress.add($0) }))
        for blob in blobs { #expect(try fetch.wait(for: blob.wanted).bytes == blob.bytes) }
        #expect(try fetch.join().receivedBytes == 12_000_000)
        #expect(fetch.entry(blobs[1].hash)?.byteCount == 3_000_000)
        #expect(progress.values.last?.doneBytes == 12_000_000)
        #expect(progress.values.allSatisfy { $0.totalBytes == 12_000_000 && $0.doneBytes <= 12_000_000 })
    }

    @Test("what is on the way and not yet hashed stays below 64 MiB, whatever is fetched")
    func memory() throws {
        let blobs = (70..<74).map { SampleBlob(byteCount: 40 << 20, seed: $0) }
        let loopback = try Loopback(blobs)
        var source = loopback.source
        source.connectionCount = 4
        let summary = try loopback.fetch(blobs, from: [source])
        #expect(summary.receivedBytes == 160 << 20)
        #expect(summary.queuedBytesMax <= 64 << 20)
    }
}

/// Values that a handler was told, from any thread.
final class Recorder<Value: Sendable>: Sendable {
    private let recorded = Mutex<[Value]>([])

    var values: [Value] { recorded.withLock { $0 } }
    func add(_ value: Value) { recorded.withLock { $0.append(value) } }
}
