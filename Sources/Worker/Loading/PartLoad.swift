import Sharding
import Synchronization
import Threads
import WeightTransfer
import ZeroMQ

/// One load, on a thread of its own, so that neither heartbeats nor steps wait for it.
final class PartLoad: Sendable {
    let epoch: Epoch
    private let cancellation: LoadCancellation

    init(
        _ order: LoadOrder, _ configuration: WorkerConfiguration, exchange: WeightExchange?, holders: WeightHolders,
        control: Mailbox<ControlEvent>
    ) {
        epoch = order.epoch
        let cancellation = LoadCancellation()
        self.cancellation = cancellation
        // Whoever cancels does not wait: the thread sees the flag at its next piece and ends.
        _ = OwnedThread(name: "shard-load") {
            let report = LoadProgressReport(epoch: order.epoch, control: control)
            let loader = PartLoader(
                order: order, configuration: configuration, exchange: exchange, holders: holders, report: report,
                cancellation: cancellation)
            do throws(LoadProblem) {
                let part = try loader.load()
                try? control.post(.partLoaded(order, part))
            } catch {
                guard !cancellation.isCancelled else { return }
                let failure = LoadFailure(epoch: order.epoch, reason: error.reason, message: error.message)
                try? control.post(.loadFailed(failure))
            }
        }
    }

    func cancel() { cancellation.cancel() }
}

/// Whether a load is still wanted, and what it waits for.
final class LoadCancellation: Sendable {
    private struct State: Sendable {
        var isCancelled = false
        var fetch: WeightFetch?
    }

    private let state = Mutex(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Ends with the load.
    func follow(_ fetch: WeightFetch) {
        let isLate = state.withLock { state in
            state.fetch = fetch
            return state.isCancelled
        }
        if isLate { fetch.cancel() }
    }

    func cancel() {
        let fetch = state.withLock { state in
            state.isCancelled = true
            return state.fetch
        }
        fetch?.cancel()
    }
}

/// Tells the control thread how far a load is, a few times a second; any thread.
///
/// Bytes that are fetched, hashed and packed all count, so that a load moves while one of them does.
final class LoadProgressReport: Sendable {
    private static let interval = Duration.milliseconds(200)

    private struct State: Sendable {
        var next = ContinuousClock.now
        var done: [Work: Int] = [:]
        var total: [Work: Int] = [:]
    }

    enum Work: Sendable {
        case fetching
        case hashing
        case packing
    }

    private let epoch: Epoch
    private let control: Mailbox<ControlEvent>
    private let state = Mutex(State())

    init(epoch: Epoch, control: Mailbox<ControlEvent>) {
        self.epoch = epoch
        self.control = control
    }

    func update(_ work: Work, done: Int, total: Int) {
        update { ($0.done[work], $0.total[work]) = (done, total) }
    }

    private func update(_ change: (inout State) -> Void) {
        let progress = state.withLock { state -> LoadProgress? in
            change(&state)
            let now = ContinuousClock.now
            guard now >= state.next else { return nil }
            state.next = now + Self.interval
            return LoadProgress(
                epoch: epoch, doneBytes: UInt64(clamping: state.done.values.reduce(0, saturatingSum)),
                totalBytes: UInt64(clamping: state.total.values.reduce(0, saturatingSum)))
        }
        // Lost when the control thread is busy: the next one says more.
        if let progress { try? control.post(.loadProgress(progress)) }
    }
}
