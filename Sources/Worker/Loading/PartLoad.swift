import Sharding
import Synchronization
import ZeroMQ

/// One load, on a thread of its own, so that neither heartbeats nor steps wait for it.
final class PartLoad: Sendable {
    let epoch: Epoch
    private let isCancelled: CancelFlag

    init(_ order: LoadOrder, _ configuration: WorkerConfiguration, control: Mailbox<ControlEvent>) {
        epoch = order.epoch
        let flag = CancelFlag()
        isCancelled = flag
        // Whoever cancels does not wait: the thread sees the flag at its next piece and ends.
        _ = OwnedThread(name: "shard-load") {
            var progress = ProgressReport(epoch: order.epoch, control: control)
            do throws(LoadProblem) {
                let part = try PartLoader(order: order, configuration: configuration).load { done, total in
                    progress.update(done: done, total: total)
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

/// Tells the control thread how far a load is, a few times a second.
private struct ProgressReport {
    static let interval = Duration.milliseconds(200)

    let epoch: Epoch
    let control: Mailbox<ControlEvent>
    private var next = ContinuousClock.now

    init(epoch: Epoch, control: Mailbox<ControlEvent>) {
        self.epoch = epoch
        self.control = control
    }

    mutating func update(done: Int, total: Int) {
        let now = ContinuousClock.now
        guard now >= next else { return }
        next = now + Self.interval
        let progress = LoadProgress(
            epoch: epoch, doneBytes: UInt64(clamping: done), totalBytes: UInt64(clamping: total))
        // Lost when the control thread is busy: the next one says more.
        try? control.post(.loadProgress(progress))
    }
}
