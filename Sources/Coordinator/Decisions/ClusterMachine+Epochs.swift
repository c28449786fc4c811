import Logging
import Sharding

extension ClusterMachine {
    /// Plans when all workers are here and the time for another attempt has come.
    mutating func gather(now: Duration) -> [ClusterAction] {
        guard case .gathering = phase, stoppingSince == nil, registry.missing.isEmpty, now >= planNotBefore else {
            return []
        }
        if let measurement = measure(now: now) { return measurement }
        let placement = Placement(
            model: settings.placementModel, demand: settings.demand,
            workers: registry.placementWorkers(reserveBytes: settings.reserveBytes), policy: settings.policy,
            objective: settings.objective, links: links, machine: settings.machine)
        let plan: Plan
        do {
            plan = try placement.plan()
        } catch {
            return cannotPlace(error, now: now)
        }
        if settings.plansOnly {
            phase = .failed("only a plan was asked for")
            return [.planned(plan)]
        }
        guard let epoch = highestEpoch.next else {
            return fail(.worker("a worker reports the last possible epoch; restart the workers"))
        }
        highestEpoch = epoch
        let threads = registry.dealThreads(to: Set(plan.shares.map(\.worker)))
        let epochPlan = EpochPlan(
            epoch: epoch, plan: plan, settings: settings,
            places: registry.members.mapValues { member in
                EpochPlan.Place(
                    endpoint: member.hello.dataEndpoint, key: member.peer.key,
                    threadCount: threads[member.hello.name],
                    weightsEndpoint: member.hello.weightsEndpoint,
                    cached: Set(member.hello.cachedHashes.compactMap { FileHash(bytes: $0) }))
            },
            now: now)
        phase = .loading(epochPlan)
        let stages = plan.stages.map { "\($0.worker) \($0.units)" }.joined(separator: ", ")
        let limits = threads.sorted { $0.key < $1.key }.map { name, count -> ClusterAction in
            let all = registry.members[name]?.hello.threadCount ?? count
            return .log(.info, "computes with \(count) of \(all) threads: other workers share its cores", worker: name)
        }
        return [.log(.info, "epoch \(epoch): loading: \(stages)", worker: nil)] + limits
            + [epochPlan.lastKey.map { .admitResults([$0]) }].compactMap(\.self) + sendLoads(epochPlan)
    }

    /// What is wrong with the sum stays wrong; a way that is not there may be, when it is tried again.
    private mutating func cannotPlace(_ error: PlacementError, now: Duration) -> [ClusterAction] {
        guard error.code == .unreachable, hasBeenReady || failures + 1 < settings.retries.loadsMax else {
            return fail(.placement(error))
        }
        forgetObstacles()
        return endEpoch("\(error)", now: now)
    }

    /// A worker that is to keep its weights is told to load before it drops its older epochs, so that it takes them
    /// over; one that needs others drops first, so that both are never in its memory.
    private mutating func sendLoads(_ plan: EpochPlan) -> [ClusterAction] {
        var actions: [ClusterAction] = []
        for (name, member) in registry.members.sorted(by: { $0.key < $1.key }) {
            let drains = member.epochs.sorted().map { ClusterAction.send(.drain($0), to: member.peer) }
            guard let order = plan.orders[name] else {
                actions += drains
                continue
            }
            let load = ClusterAction.send(.load(order), to: member.peer)
            actions += member.order?.hasSameWeights(as: order) == true ? [load] + drains : drains + [load]
            registry.holds(order, name)
        }
        return actions
    }

    mutating func noteLoad(_ progress: LoadProgress, by name: String, now: Duration) {
        guard case .loading(var plan) = phase, plan.epoch == progress.epoch,
            case .loading(let done, _) = plan.progress[name]
        else { return }
        if progress.doneBytes > done { plan.lastProgress = now }
        plan.progress[name] = .loading(doneBytes: progress.doneBytes, totalBytes: progress.totalBytes)
        phase = .loading(plan)
    }

    mutating func loadedPart(_ loaded: Loaded, by name: String, now: Duration) -> [ClusterAction] {
        guard case .loading(var plan) = phase, plan.epoch == loaded.epoch, plan.orders[name] != nil else { return [] }
        plan.progress[name] = .loaded
        plan.lastProgress = now
        let line =
            "loaded: weights \(describeBytes(Int(clamping: loaded.weightBytes))), "
            + "cache \(describeBytes(Int(clamping: loaded.cacheBytes)))"
        var actions: [ClusterAction] = [.log(.info, line, worker: name)]
        guard plan.isComplete({ $0 == .loaded }) else {
            phase = .loading(plan)
            return actions
        }
        phase = .activating(plan, since: now)
        for name in plan.workers {
            guard let peer = registry.members[name]?.peer else { continue }
            actions.append(.send(.activate(plan.epoch), to: peer))
        }
        return actions
    }

    mutating func activated(_ epoch: Epoch, by name: String, now: Duration) -> [ClusterAction] {
        guard case .activating(var plan, let since) = phase, plan.epoch == epoch, plan.orders[name] != nil else {
            return []
        }
        plan.progress[name] = .activated
        guard plan.isComplete({ $0 == .activated }) else {
            phase = .activating(plan, since: since)
            return []
        }
        plan.stepsCompletedBefore = registry.members.compactMapValues(\.heartbeat?.stepsCompleted)
        phase = .connecting(plan, since: now)
        return [.connect(epoch, endpoint: plan.firstEndpoint, key: plan.firstKey)]
    }

    /// A worker cannot load its part. What trying again cannot mend ends the attempt for good.
    mutating func loadFailed(_ failure: LoadFailure, by name: String, now: Duration) -> [ClusterAction] {
        guard case .loading(let plan) = phase, plan.epoch == failure.epoch, plan.orders[name] != nil else { return [] }
        let message = "worker \(name): \(failure.message)"
        registry.dropped(failure.epoch, name)
        switch failure.reason {
        case .fileMissing, .hashMismatch, .invalidFile:
            return fail(.worker(message))
        case .outOfMemory, .other:
            guard hasBeenReady || failures + 1 < settings.retries.loadsMax else { return fail(.worker(message)) }
            return endEpoch(message, now: now)
        }
    }

    /// A stage cannot reach the next one: the plan cannot work, although both its workers are here.
    mutating func linkFailed(_ failure: LinkFailure, by name: String, now: Duration) -> [ClusterAction] {
        guard case .activating(let plan, _) = phase, plan.epoch == failure.epoch,
            plan.plan.stageIndices(of: name).contains(failure.stage)
        else { return [] }
        return unreachable(
            plan, stage: failure.stage + 1, endpoint: failure.endpoint, reason: failure.message, now: now)
    }

    /// A step cannot come to a stage, or from the last one back: the next plan does without that way, where it can.
    ///
    /// - Parameter stage: the one that is not reached; after the last, the coordinator's results.
    mutating func unreachable(
        _ plan: EpochPlan, stage: Int, endpoint: String, reason: String, now: Duration
    ) -> [ClusterAction] {
        let hop = plan.plan.hops[stage]
        let obstacle = "\(endpoint): \(reason)"
        let message = Placement.unreachableText(from: hop.from, to: hop.to, reason: obstacle)
        links[hop.from, hop.to] = .unreachable(obstacle)
        guard hasBeenReady || failures + 1 < settings.retries.loadsMax else { return fail(.worker(message)) }
        return endEpoch(message, now: now)
    }

    /// Gives up until a worker joins anew; what loaded so far is dropped.
    mutating func fail(_ failure: StartFailure) -> [ClusterAction] {
        let message = failure.description
        let events = scheduler.failAll(
            begun: EngineError(.failed, message), waiting: EngineError(.unavailable, message))
        phase = .failed(message)
        let drains = registry.members.sorted { $0.key < $1.key }.flatMap { _, member in
            member.epochs.sorted().map { ClusterAction.send(.drain($0), to: member.peer) }
        }
        return events.map { .deliver($0) } + drains + [.cannotStart(failure)]
    }
}
