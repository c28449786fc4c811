import Logging
import Sharding

extension ClusterMachine {
    /// Time has passed: leases, deadlines, heartbeats. Called at least a few times a heartbeat interval.
    package mutating func tick(now: Duration) -> [ClusterAction] {
        guard !hasStopped else { return [] }
        noteFirstStarts(now: now)
        forgivePause(now: now)
        var actions = beat(now: now) + speechless(now: now)
        for name in registry.silent(now: now, deadAfter: deadlines.heartbeat.deadAfter) {
            let silence = now - (registry.members[name]?.lastHeard ?? now)
            actions += giveUp(name, reason: "no heartbeat for \(Self.seconds(silence))", now: now)
        }
        actions += overdue(now: now)
        actions += gather(now: now)
        return actions + finishStop(now: now)
    }

    /// Launched workers are started before time begins to pass here.
    private mutating func noteFirstStarts(now: Duration) {
        guard lastTick == nil else { return }
        for worker in settings.workers { registry.noteStart(of: worker.name, at: now) }
    }

    /// A process that runs but does not report is ended; how its end is taken decides what comes next.
    private mutating func speechless(now: Duration) -> [ClusterAction] {
        registry.takeSpeechless(now: now, within: deadlines.hello).flatMap { name -> [ClusterAction] in
            let reason = "its process said no hello within \(Self.seconds(deadlines.hello))"
            registry.noteAbsence(of: name, reason: reason)
            return [.log(.warning, reason, worker: name), .kill(worker: name)]
        }
    }

    /// When the coordinator itself was held up, messages wait unread: that is no silence of the workers.
    private mutating func forgivePause(now: Duration) {
        if let lastTick, now - lastTick > deadlines.heartbeat.interval {
            registry.forgive(now - lastTick)
            scheduler.noteProgress(now: now)
        }
        lastTick = now
    }

    private mutating func beat(now: Duration) -> [ClusterAction] {
        if let lastBeat, now - lastBeat < deadlines.heartbeat.interval { return [] }
        lastBeat = now
        return registry.members.values.map(\.peer).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            .map { .send(.heartbeat, to: $0) }
    }

    /// A worker that does not answer: it is out, and its process ends if it is ours.
    private mutating func giveUp(_ name: String, reason: String, now: Duration) -> [ClusterAction] {
        // Of a worker elsewhere the kill ends the ssh session alone; perhaps it hears this.
        let stop = registry.start(of: name) == .ssh ? registry.members[name]?.peer : nil
        let farewell = stop.map { ClusterAction.send(.stop(reason: "given up: \(reason)"), to: $0) }
        let kill: [ClusterAction] = registry.isLaunched(name) ? [.kill(worker: name)] : []
        return [farewell].compactMap(\.self) + lose(name, reason: reason, now: now) + kill
    }

    private mutating func overdue(now: Duration) -> [ClusterAction] {
        switch phase {
        case .gathering, .failed:
            return []
        case .measuring(let measurement):
            guard now - measurement.since > deadlines.measuring else { return [] }
            return endMeasuring(measurement, now: now)
        case .loading(let plan):
            guard now - plan.lastProgress > deadlines.loadStall, let name = plan.behind({ $0 == .loaded }).first else {
                return []
            }
            return giveUp(
                name, reason: "its load did not move for \(Self.seconds(deadlines.loadStall))", now: now)
        case .activating(let plan, let since):
            guard now - since > deadlines.activation, let name = plan.behind({ $0 == .activated }).first else {
                return []
            }
            return giveUp(name, reason: "it did not activate within \(Self.seconds(deadlines.activation))", now: now)
        case .connecting(let plan, let since):
            guard now - since > deadlines.activation else { return [] }
            return unreachable(
                plan, stage: 0, endpoint: plan.firstEndpoint,
                reason: "no connection within \(Self.seconds(deadlines.activation))", now: now)
        case .running(let plan):
            guard let step = scheduler.inFlight.first else { return [] }
            let limit = stepDeadline(rows: step.rows.count, plan.plan)
            guard now - max(step.sentAt, scheduler.lastProgress) > limit else { return [] }
            let suspect = slowest(in: plan)
            return giveUp(
                suspect,
                reason: "step \(step.id) did not move for \(Self.seconds(limit)), "
                    + "and it has completed the fewest", now: now)
        }
    }

    /// The worker that has completed the fewest steps a stage since the epoch began; of equals the earliest stage.
    private func slowest(in plan: EpochPlan) -> String {
        var slowest = (completed: UInt64.max, worker: plan.plan.stages.first?.worker ?? "")
        var seen: Set<String> = []
        for stage in plan.plan.stages where seen.insert(stage.worker).inserted {
            let total = registry.members[stage.worker]?.heartbeat?.stepsCompleted ?? 0
            let before = plan.stepsCompletedBefore[stage.worker] ?? 0
            let stages = UInt64(plan.plan.stageIndices(of: stage.worker).count)
            let completed = (total >= before ? total - before : 0) / max(1, stages)
            if completed < slowest.completed { slowest = (completed, stage.worker) }
        }
        return slowest.worker
    }

    // MARK: Stopping

    /// Takes nothing new, lets what runs finish within the drain deadline, then tells the workers to leave.
    package mutating func stop(now: Duration) -> [ClusterAction] {
        guard stoppingSince == nil else { return [] }
        stoppingSince = now
        return [.log(.info, "stopping", worker: nil)] + finishStop(now: now)
    }

    /// Once requests have ended or the time for them is up, and the workers have said good-bye: one that did not hear
    /// the order would hold its port and its memory until it notices that nobody is here.
    mutating func finishStop(now: Duration) -> [ClusterAction] {
        guard let stoppingSince, !hasStopped else { return [] }
        if let farewellSince {
            guard registry.members.isEmpty || now - farewellSince >= deadlines.farewell else { return [] }
            hasStopped = true
            return [.stopped]
        }
        guard scheduler.isIdle || !isRunning || now - stoppingSince >= deadlines.drain else { return [] }
        let error = EngineError(.unavailable, "the coordinator is stopping")
        let events = scheduler.failAll(begun: error, waiting: error)
        farewellSince = now
        let stops = registry.members.sorted { $0.key < $1.key }.map { _, member in
            ClusterAction.send(.stop(reason: "the coordinator stops"), to: member.peer)
        }
        return events.map { .deliver($0) } + stops + finishStop(now: now)
    }

    /// `2.0 s`.
    static func seconds(_ duration: Duration) -> String {
        let tenths = duration.components.seconds * 10 + duration.components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
