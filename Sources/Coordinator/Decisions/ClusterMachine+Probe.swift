import Logging
import Sharding

extension ClusterMachine {
    /// One token goes all the way through a new epoch's stages before it counts as ready: what loads and connects may
    /// still not compute.
    mutating func startProbe() { probe = scheduler.submitProbe() }

    /// Gives the probe up with its epoch.
    mutating func endProbe(now: Duration) {
        guard let id = probe else { return }
        probe = nil
        _ = scheduler.cancel(id, now: now)
    }

    /// Takes what happened to the probe out of the events.
    ///
    /// - Returns: why the epoch cannot go on, where the probe failed.
    mutating func takeProbe(from events: inout [SequenceEvent]) -> String? {
        guard let id = probe else { return nil }
        let news = events.filter { $0.sequence == id }
        events.removeAll { $0.sequence == id }
        for event in news {
            switch event {
            case .finished: probe = nil
            case .failed(_, let error): return "no token came through the stages: \(error)"
            case .begun, .token, .logits, .embedded: break
            }
        }
        return nil
    }

    /// All workers are here and load, but do not compute.
    mutating func probeFailed(_ reason: String, now: Duration) -> [ClusterAction] {
        guard hasBeenReady || failures + 1 < settings.retries.loadsMax else {
            endProbe(now: now)
            return fail(.worker(reason))
        }
        return endEpoch(reason, now: now)
    }

    /// The probe has come through: requests are taken from now on.
    mutating func noteReady(_ plan: EpochPlan) -> ClusterAction {
        hasBeenReady = true
        registry.forgetFailedStarts()
        return .log(
            .info, "ready: epoch \(plan.epoch), \(plan.orders.count) workers, \(plan.plan.stages.count) stages",
            worker: nil)
    }
}

extension StepScheduler {
    /// A sequence of one token that asks for one, before all others.
    fileprivate mutating func submitProbe() -> SequenceID {
        let id = SequenceID(nextSequence)
        nextSequence += 1
        let request = TokenRequest(prompt: [0], maxTokens: 1, priority: .max)
        waiting.prepend(ActiveSequence(id: id, kind: .generate, request: request, generatedMax: 1))
        return id
    }
}
