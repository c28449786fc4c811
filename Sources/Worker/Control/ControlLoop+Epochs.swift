import Logging
import Sharding

/// Orders that concern epochs.
extension ControlLoop {
    func load(_ order: LoadOrder, run: RunID) {
        if let held = epochs.held[order.epoch] {
            // Asked again after a break: what was answered may be lost.
            if held.order == order, let loaded = held.loaded { report(.loaded(loaded)) }
            return
        }
        guard order.epoch > epochs.highest else {
            return refuse("load: epoch: expected above \(epochs.highest), got \(order.epoch)")
        }
        if let weights = order.weights { exchange?.admit(weights) }
        for epoch in epochs.makeRoom() { drop(epoch) }
        if let part = epochs.part(for: order) {
            epochs.begin(order, run: run, part: part)
            return install(order, part, run: run)
        }
        epochs.forgetSpare()
        // A hard budget has no room for two.
        if order.limits.residency == .memoryEfficient {
            for epoch in epochs.held.keys.sorted() { drop(epoch) }
        }
        epochs.begin(order, run: run, part: nil)
        logger.info("loading", metadata: ["epoch": "\(order.epoch)", "stages": "\(order.stages.map(\.index))"])
        epochs.startLoad(
            PartLoad(order, configuration, exchange: exchange, holders: epochs.weightHolders, control: inbox))
    }

    func partLoaded(_ order: LoadOrder, _ part: LoadedPart) {
        guard let run = epochs.loaded(order.epoch, part) else { return }
        install(order, part, run: run)
    }

    func loadFailed(_ failure: LoadFailure) {
        guard epochs.drop(failure.epoch) else { return }
        // A launcher tells it with its own words; who started a worker by hand reads it here.
        logger.log(
            level: configuration.ending == .withLauncher ? .info : .error, "load failed: \(failure.message)",
            metadata: ["epoch": "\(failure.epoch)"])
        report(.loadFailed(failure))
    }

    func activate(_ epoch: Epoch) {
        guard epochs.held[epoch]?.loaded != nil else {
            return refuse("activate: epoch: expected one that is loaded, got \(epoch)")
        }
        command(.activate(epoch))
    }

    func drain(_ epoch: Epoch) {
        if epochs.held[epoch]?.part == nil {
            // Never came to the step thread: there is nothing to finish.
            epochs.drop(epoch)
            return report(.drained(epoch))
        }
        epochs.drain(epoch)
        command(.drop(epoch))
    }

    /// The coordinator of these epochs is gone. Their sequences are dropped; the newest weights stay for the next one.
    func dropRun() {
        for epoch in epochs.dropRun() { drop(epoch) }
    }

    private func drop(_ epoch: Epoch) {
        epochs.drop(epoch)
        command(.drop(epoch))
    }

    private func install(_ order: LoadOrder, _ part: LoadedPart, run: RunID) {
        command(.install(order, part, run, membership.heartbeat))
    }

    func command(_ command: StepCommand) {
        do {
            try steps.post(command)
        } catch {
            // The step thread takes commands between steps: so many only wait behind a step that never ends.
            if outcome == nil {
                outcome = .failed(WorkerError(.failed, place: "step thread", "takes no commands: \(error)"))
            }
        }
    }
}
