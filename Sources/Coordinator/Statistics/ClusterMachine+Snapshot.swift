import Sharding

extension ClusterMachine {
    /// The epoch in which steps are sent, with its plan.
    var running: (epoch: Epoch, plan: Plan)? {
        if case .running(let plan) = phase { (plan.epoch, plan.plan) } else { nil }
    }

    /// How the cluster stands, with what was counted.
    func snapshot(_ statistics: ClusterStatistics, now: Duration) -> EngineSnapshot {
        var snapshot = EngineSnapshot()
        statistics.fill(&snapshot, now: now)
        snapshot.run = "\(settings.run)"
        switch readiness {
        case .ready: snapshot.isReady = true
        case .notReady(let reason): snapshot.reason = reason
        }
        snapshot.requests.running = scheduler.active.count
        snapshot.requests.queued = scheduler.waiting.count
        snapshot.requests.queueMax = settings.capacity.queueMax
        snapshot.requests.runningMax = settings.capacity.maxSequences
        snapshot.epochs.current = currentPlan?.epoch.rawValue
        snapshot.cache = scheduler.cacheSnapshot
        snapshot.workers = workerSnapshots(statistics, now: now)
        snapshot.links = (currentPlan?.plan.hops ?? []).map { hop in
            EngineSnapshot.Link(
                from: hop.from, to: hop.to, roundTripSeconds: hop.estimate.roundTrip.seconds,
                bytesPerSecond: hop.estimate.bytesPerSecond, isMeasured: hop.isMeasured)
        }
        return snapshot
    }

    private func workerSnapshots(_ statistics: ClusterStatistics, now: Duration) -> [EngineSnapshot.Worker] {
        let shares = currentPlan?.plan.shares ?? []
        return status.workers.map { worker in
            var snapshot = EngineSnapshot.Worker(name: worker.name, state: .joined)
            switch worker.state {
            case .absent(let reason): (snapshot.state, snapshot.reason) = (.absent, reason)
            case .joined: snapshot.state = .joined
            case .loading(let done, let total):
                (snapshot.state, snapshot.loadedBytes, snapshot.totalBytes) = (.loading, done, total)
            case .loaded: snapshot.state = .loaded
            case .active: snapshot.state = .active
            }
            snapshot.device = worker.device
            snapshot.threads = worker.threadCount
            snapshot.process = worker.processID
            snapshot.units = worker.units
            if let share = shares.first(where: { $0.worker == worker.name }) {
                snapshot.neededBytes = UInt64(clamping: share.need.totalBytes)
                snapshot.limitBytes = UInt64(clamping: share.limitBytes)
            }
            if let member = registry.members[worker.name] {
                snapshot.memoryTotalBytes = member.hello.memoryTotalBytes
                snapshot.memoryAvailableBytes =
                    member.heartbeat?.memoryAvailableBytes ?? member.hello.memoryAvailableBytes
                snapshot.silentSeconds = max(0, (now - member.lastHeard).seconds)
                snapshot.stepsCompleted = member.heartbeat?.stepsCompleted
            }
            snapshot.restarts = statistics.restarts[worker.name] ?? 0
            return snapshot
        }
    }
}

extension StepScheduler {
    fileprivate var cacheSnapshot: EngineSnapshot.Cache {
        EngineSnapshot.Cache(
            blockPositions: ledger.blockPositions, blocks: ledger.blockCount, freeBlocks: ledger.freeCount,
            retainedBlocks: ledger.blocks(of: retained.keys), retainedSequences: retained.count)
    }
}
