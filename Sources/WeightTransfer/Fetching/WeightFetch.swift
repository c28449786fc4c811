import Foundation
import Logging
import Sharding
import Synchronization
import Threads
import ZeroMQ

/// Brings blobs into a store from whoever has them, on a thread of its own; several may run at once.
package final class WeightFetch: Sendable {
    /// Somebody who serves weights.
    package struct Source: Sendable {
        /// What errors and progress call it.
        package var name: String
        package var endpoint: Endpoint
        package var socket: SocketOptions
        package var connectionCount: Int

        package init(
            name: String, endpoint: Endpoint, socket: SocketOptions = .weightClient, connectionCount: Int = 1
        ) {
            self.name = name
            self.endpoint = endpoint
            self.socket = socket
            self.connectionCount = connectionCount
        }
    }

    package struct Progress: Sendable, Hashable {
        /// Those that the store had from the start are among them.
        package var doneBytes: Int
        package var totalBytes: Int
        package var bytesPerSecond: Double
        /// Where bytes come from now; nil while none do.
        package var source: String?
    }

    /// What a fetch came to.
    package struct Summary: Sendable, Hashable {
        /// Over the network, and of use.
        package var receivedBytes = 0
        /// Whole in the store from the start.
        package var presentBytes = 0
        /// Received by an earlier fetch that did not finish.
        package var resumedBytes = 0
        /// Received over the network for nothing.
        package var duplicateBytes = 0
        /// Connections that were lost.
        package var lossCount = 0
        /// Bytes asked for or received, and not yet hashed, at the most.
        package var queuedBytesMax = 0
        /// Sources that were given up, and why.
        package var dropped: [String: String] = [:]
    }

    /// Told on the fetch's thread: they must not take long.
    package struct Handlers: Sendable {
        /// Called for each blob in the order in which they are wanted, as soon as it and all before it are there.
        package var onReady: @Sendable (WantedBlob, StoreEntry) -> Void
        /// A few times a second.
        package var onProgress: @Sendable (Progress) -> Void
        /// Once, at the end.
        package var onEnd: @Sendable (Result<Summary, WeightTransferError>) -> Void

        package init(
            onReady: @escaping @Sendable (WantedBlob, StoreEntry) -> Void = { _, _ in },
            onProgress: @escaping @Sendable (Progress) -> Void = { _ in },
            onEnd: @escaping @Sendable (Result<Summary, WeightTransferError>) -> Void = { _ in }
        ) {
            self.onReady = onReady
            self.onProgress = onProgress
            self.onEnd = onEnd
        }
    }

    static let connectionsMax = 16

    private let arrivals = Arrivals()
    private let control: FetchControl
    private let thread: OwnedThread

    /// Begins at once.
    ///
    /// - Parameters:
    ///   - wanted: In the order in which they will be used. Those of no bytes are left out, as are repeated ones.
    ///   - sources: The one to be asked first, first; the next one is asked for what it does not have.
    package convenience init(
        _ wanted: [WantedBlob], from sources: [Source], into store: TensorStore, context: Context, logger: Logger,
        handlers: Handlers = Handlers()
    ) throws(WeightTransferError) {
        try self.init(
            wanted, from: sources, into: store, context: context, logger: logger, handlers: handlers,
            settings: FetchMachine.Settings())
    }

    init(
        _ wanted: [WantedBlob], from sources: [Source], into store: TensorStore, context: Context, logger: Logger,
        handlers: Handlers, settings: FetchMachine.Settings
    ) throws(WeightTransferError) {
        let connectionCount = sources.reduce(0) { $0 + max(1, $1.connectionCount) }
        guard connectionCount <= Self.connectionsMax else {
            throw WeightTransferError(
                .network, place: "sources", field: "connections", expected: "at most \(Self.connectionsMax)",
                got: "\(connectionCount)")
        }
        ChunkMemory.keep
        do {
            control = FetchControl(wakeup: try Wakeup())
        } catch {
            throw WeightTransferError(.network, error)
        }
        var seen: Set<FileHash> = []
        let order = FetchLoop.Order(
            wanted: wanted.filter { $0.byteCount > 0 && seen.insert($0.hash).inserted }, sources: sources,
            store: store, settings: settings)
        thread = OwnedThread(name: "shard-fetch") { [control, arrivals] in
            let result = FetchLoop.run(
                order, control: control, arrivals: arrivals, context: context, logger: logger, handlers: handlers)
            arrivals.end(result)
            handlers.onEnd(result)
        }
    }

    /// Ends it soon, with an error; what was received stays for the next one. Any thread.
    package func cancel() { control.cancel() }

    /// A blob that is there; nil while it is not.
    package func entry(_ hash: FileHash) -> StoreEntry? { arrivals.entry(hash) }

    /// Waits until a blob is there. Not on the cooperative pool.
    ///
    /// - Throws: what the fetch ended with before it was.
    package func wait(for wanted: WantedBlob) throws(WeightTransferError) -> StoreEntry {
        try arrivals.wait(for: wanted)
    }

    /// Waits for the end. Not on the cooperative pool, not in a handler.
    package func join() throws(WeightTransferError) -> Summary {
        thread.join()
        return try arrivals.outcome()
    }

    deinit { control.cancel() }
}

/// How others reach the fetch's thread.
final class FetchControl: Sendable {
    let wakeup: Wakeup
    private let cancelled = Atomic(false)

    init(wakeup: Wakeup) { self.wakeup = wakeup }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func cancel() {
        cancelled.store(true, ordering: .releasing)
        wakeup.signal()
    }
}
