import Sharding
import Synchronization
import ZeroMQ

/// One load, on a thread of its own, so that neither heartbeats nor steps wait for it.
final class PartLoad: Sendable {
    let epoch: Epoch
    private let isCancelled: CancelFlag

    init(
        _ order: LoadOrder, _ configuration: WorkerConfiguration, exchange: WeightExchange?,
        control: Mailbox<ControlEvent>
    ) {
        epoch = order.epoch
        let flag = CancelFlag()
        isCancelled = flag
        // Whoever cancels does not wait: the thread sees the flag at its next piece and ends.
        _ = OwnedThread(name: "shard-load") {
            let report = LoadProgressReport(epoch: order.epoch, control: control)
            let loader = PartLoader(
                order: order, configuration: configuration, exchange: exchange, report: report)
            do throws(LoadProblem) {
                let part = try loader.load { done, total in
                    report.packed(done, total: total)
                    return !flag.isSet
                }
                try? control.post(.partLoaded(order, part))
            } catch {
                guard !flag.isSet else { return }
                let failure = LoadFailure(epoch: order.epoch, reason: error.reason, message: error.message)
                try? control.post(.loadFailed(failure))
            }
        }
    }

    func cancel() { isCancelled.set() }
}

private final class CancelFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

/// Tells the control thread how far a load is, a few times a second; any thread.
///
/// Bytes that are fetched, hashed and packed all count, so that a load moves while one of them does.
final class LoadProgressReport: Sendable {
    private static let interval = Duration.milliseconds(200)

    private struct State: Sendable {
        var next = ContinuousClock.now
        var fetched = 0
        var packed = 0
        var packedTotal = 0
        var hashed = 0
        var hashedTotal = 0
    }

    private let epoch: Epoch
    private let control: Mailbox<ControlEvent>
    private let state = Mutex(State())

    init(epoch: Epoch, control: Mailbox<ControlEvent>) {
        self.epoch = epoch
        self.control = control
    }

    /// - Parameter total: of this and of packing.
    func fetched(_ bytes: Int, total: Int) { update { ($0.fetched, $0.packedTotal) = (bytes, total) } }

    /// - Parameter bytes: with those that were read or fetched before.
    func packed(_ bytes: Int, total: Int) {
        update { ($0.packed, $0.packedTotal) = (bytes, max(total, $0.packedTotal)) }
    }

    func hashed(_ bytes: Int, total: Int) { update { ($0.hashed, $0.hashedTotal) = (bytes, total) } }

    private func update(_ change: (inout State) -> Void) {
        let progress = state.withLock { state -> LoadProgress? in
            change(&state)
            let now = ContinuousClock.now
            guard now >= state.next else { return nil }
            state.next = now + Self.interval
            return LoadProgress(
                epoch: epoch, doneBytes: UInt64(clamping: max(state.fetched, state.packed) + state.hashed),
                totalBytes: UInt64(clamping: state.packedTotal + state.hashedTotal))
        }
        // Lost when the control thread is busy: the next one says more.
        if let progress { try? control.post(.loadProgress(progress)) }
    }
}
