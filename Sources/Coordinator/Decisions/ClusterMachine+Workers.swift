import Logging
import Sharding
import ZeroMQ

extension ClusterMachine {
    /// A message from the control socket.
    package mutating func receive(
        _ report: WorkerReport, from peer: PeerID, run: RunID, now: Duration
    ) -> [ClusterAction] {
        if case .hello(let hello) = report { return join(hello, peer: peer, now: now) }
        guard let name = registry.name(of: peer), run == settings.run else {
            return [.send(.identify, to: peer)]
        }
        registry.heard(name, now: now)
        switch report {
        case .hello:
            return []
        case .heartbeat(let heartbeat):
            if registry.heartbeat(heartbeat, of: name) { scheduler.noteProgress(now: now) }
            return []
        case .loadProgress(let progress):
            noteLoad(progress, by: name, now: now)
            return []
        case .loaded(let loaded):
            return loadedPart(loaded, by: name, now: now)
        case .loadFailed(let failure):
            return loadFailed(failure, by: name, now: now)
        case .activated(let epoch):
            return activated(epoch, by: name, now: now)
        case .drained(let epoch):
            registry.dropped(epoch, name)
            return []
        case .stepFailed(let failure):
            guard case .running(let plan) = phase, plan.epoch == failure.epoch else { return [] }
            // Where the next stage does not take a step, its worker may be the one that was lost.
            let next = plan.plan.stages.dropFirst(failure.stage + 1).first.map { "; the next is worker \($0.worker)" }
            return endEpoch(
                "worker \(name): stage \(failure.stage): step \(failure.step): \(failure.message)\(next ?? "")",
                now: now)
        case .linkFailed(let failure):
            return linkFailed(failure, by: name, now: now)
        case .linkMeasured(let link):
            return noteLink(stage: link.stage, link.epoch, link.estimate, by: name)
        case .linksMeasured(let findings):
            return measured(findings, by: name, now: now)
        case .leaving(let reason):
            return lose(name, reason: "it left: \(reason)", now: now)
        }
    }

    /// A launched worker's process has ended.
    ///
    /// - Parameters:
    ///   - isFinal: its arguments or its configuration are wrong, so that starting it again would not help.
    ///   - isSession: what ended is the ssh session, which says nothing of the worker.
    package mutating func exited(
        _ name: String, status: String, isFinal: Bool = false, isSession: Bool = false, now: Duration
    ) -> [ClusterAction] {
        registry.noteEnd(of: name)
        if isSession, registry.members[name] != nil {
            return [
                .log(.notice, "its ssh session ended (\(status)); it stays for as long as it reports", worker: name)
            ]
        }
        var actions: [ClusterAction] = []
        // A refusal, where it had one, says more than the status that followed from it.
        let refusal = registry.refusals[name].map { "\($0); " } ?? ""
        if registry.members[name] != nil {
            actions += lose(name, reason: "its process ended: \(status)", now: now)
        } else {
            registry.noteAbsence(of: name, reason: "its process ended: \(status)")
        }
        guard stoppingSince == nil, registry.isLaunched(name) else { return actions }
        let starts = registry.noteFailedStart(name)
        let isLasting = isFinal || starts >= settings.retries.startsMax
        let wait = isLasting ? settings.retries.last : settings.retries.wait(after: starts)
        registry.noteStart(of: name, at: now + wait)
        if isLasting {
            // A launch gives up here; a cluster that was ready before goes on trying, at the longest interval.
            let failure: StartFailure =
                isFinal
                ? .configuration("worker \(name) cannot start: \(refusal)\(status); its log lines say why")
                : .worker("worker \(name) ended \(starts) times in a row: \(refusal)\(status); its log lines say why")
            return actions + fail(failure) + [.restart(worker: name, after: wait)]
        }
        return actions + [
            .log(.warning, "ended (\(status)); starting it again in \(wait)", worker: name),
            .restart(worker: name, after: wait),
        ]
    }

    // MARK: Joining

    private mutating func join(_ hello: WorkerHello, peer: PeerID, now: Duration) -> [ClusterAction] {
        if let refusal = refusal(of: hello, peer: peer, now: now) {
            let reply = ClusterAction.send(.helloReply(.refused(refusal)), to: peer)
            registry.noteRefusal(of: hello.name, reason: refusal.message)
            var actions = [reply]
            if registry.logsRefusal(of: hello.name, now: now) {
                actions.append(.log(.warning, "refused: \(refusal.message)", worker: hello.name))
            }
            // Anybody may use a launched worker's name: what the refusal means for the launch, its process's end says.
            return actions
        }
        let accepted = ClusterAction.send(.helloReply(.accepted(settings.run, deadlines.heartbeat)), to: peer)
        highestEpoch = max(highestEpoch, hello.highestEpoch)
        if let member = registry.members[hello.name], member.hello.instance == hello.instance,
            member.hello.dataEndpoint == hello.dataEndpoint
        {
            registry.reconnect(hello, peer: peer, now: now)
            return [accepted, .log(.info, "connected again", worker: hello.name)] + pendingOrder(for: hello.name)
        }
        var actions: [ClusterAction] = []
        if registry.members[hello.name] != nil {
            actions += lose(hello.name, reason: "another process took its place", now: now)
        }
        registry.insert(hello, peer: peer, now: now)
        noteHost(of: hello)
        if case .failed = phase { phase = .gathering }
        let line =
            "joined: \(hello.device), \(hello.threadCount) threads, "
            + "\(describeBytes(Int(clamping: hello.memoryAvailableBytes))) free"
        actions += [accepted, .log(.info, line, worker: hello.name)]
        return actions + gather(now: now)
    }

    private func refusal(of hello: WorkerHello, peer: PeerID, now: Duration) -> HelloRefusal? {
        func refuse(_ reason: HelloRefusal.Reason, _ message: String) -> HelloRefusal {
            HelloRefusal(reason, version: settings.version, message: message)
        }
        if hello.version.number != settings.version.number {
            return refuse(
                .versionMismatch,
                "worker \(hello.name): speaks \(hello.version), the coordinator \(settings.version); "
                    + "install the same version of both")
        }
        if stoppingSince != nil { return refuse(.stopping, "worker \(hello.name): the coordinator is stopping") }
        guard registry.isExpected(hello.name) else {
            let known = registry.expected.map(\.name).joined(separator: ", ")
            return refuse(
                .unknownName, "worker \(hello.name): name: expected one of \(known); list it in the configuration")
        }
        // Admitted is who is on the list; under which name, this decides.
        guard peer.key == registry.key(of: hello.name) else {
            return refuse(
                .invalid,
                "worker \(hello.name): key: expected the one that security.workers has for \(hello.name), got "
                    + "\(peer.key.map { registry.owner(of: $0).map { "that of \($0)" } ?? "\($0)" } ?? "none")")
        }
        guard let endpoint = Endpoint(hello.dataEndpoint), endpoint.port > 0,
            endpoint.isLoopback || settings.coordinatorKey != nil
        else {
            return refuse(
                .invalid,
                "worker \(hello.name): data endpoint: expected one on loopback, got \(hello.dataEndpoint); "
                    + "crossing machines needs keys (security.key_dir)")
        }
        if let member = registry.members[hello.name], member.hello.instance != hello.instance,
            now - member.lastHeard <= deadlines.heartbeat.deadAfter
        {
            return refuse(
                .nameTaken,
                "worker \(hello.name): the name belongs to process \(member.hello.processID), which is alive; "
                    + "give this one another name")
        }
        return nil
    }

    /// What a worker may have missed while its connection was down.
    private func pendingOrder(for name: String) -> [ClusterAction] {
        if case .measuring(let measurement) = phase, measurement.waiting.contains(name),
            let peer = registry.members[name]?.peer
        {
            return [.send(.measureLinks(measurement.order(for: name)), to: peer)]
        }
        guard let plan = currentPlan, let order = plan.orders[name], let peer = registry.members[name]?.peer else {
            return []
        }
        switch plan.progress[name] {
        case .loading: return [.send(.load(order), to: peer)]
        case .loaded:
            if case .activating = phase { return [.send(.activate(plan.epoch), to: peer)] }
            return []
        case .activated, nil: return []
        }
    }

    // MARK: Losing

    /// Takes a worker out. Requests that need it end with an error that names it.
    mutating func lose(_ name: String, reason: String, now: Duration) -> [ClusterAction] {
        guard registry.members[name] != nil else { return [] }
        registry.remove(name, reason: reason)
        if case .measuring = phase { phase = .gathering }
        let line = "worker \(name) was lost: \(reason)"
        guard let plan = currentPlan, plan.orders[name] != nil, stoppingSince == nil || !scheduler.isIdle else {
            return [.log(stoppingSince == nil ? .warning : .debug, "lost: \(reason)", worker: name)]
                + startSession(of: name, now: now)
        }
        return endEpoch(line, now: now) + startSession(of: name, now: now)
    }

    /// A worker that outlived its ssh session is started by a new one, as no end of a process is going to tell of it.
    private mutating func startSession(of name: String, now: Duration) -> [ClusterAction] {
        guard registry.start(of: name) == .ssh, !registry.hasProcess(name), stoppingSince == nil else { return [] }
        let wait = settings.retries.wait(after: 1)
        registry.noteStart(of: name, at: now + wait)
        return [.restart(worker: name, after: wait)]
    }
}

// MARK: Keys

extension ClusterMachine {
    /// Who may join under which name, from now on. A worker whose key was removed or changed is out at once.
    ///
    /// - Parameter keys: of workers that others start; those that are started from here keep theirs.
    package mutating func rekey(_ keys: [String: CurvePublicKey], now: Duration) -> [ClusterAction] {
        let before = registry.keys
        registry.rekey(keys)
        let removed = before.subtracting(registry.keys)
        var actions: [ClusterAction] = [.admit(registry.keys, endingThoseOf: removed)]
        for (name, member) in registry.members.sorted(by: { $0.key < $1.key }) {
            // A key that moved to another name opens the old one no more.
            guard let key = member.peer.key, key != registry.key(of: name) else { continue }
            actions += lose(name, reason: "its key was taken off the list", now: now)
        }
        return actions
    }
}
