import Sharding
import ZeroMQ

/// Connections to the stages after those that are here.
extension StepLoop {
    /// From the order to activate to the last handshake with a next stage.
    static let linkDeadline = Duration.seconds(5)

    /// Where a stage sends to. A wildcard is the coordinator's machine, as this one reaches it.
    func target(of stage: StageOrder) throws(LoadProblem) -> LinkTarget {
        guard let endpoint = Endpoint(stage.nextEndpoint), endpoint.port > 0 else {
            throw LoadProblem(
                .other,
                "stage \(stage.index): next endpoint: expected tcp://HOST:PORT, got \(stage.nextEndpoint)")
        }
        let resolved =
            endpoint.isWildcard ? Endpoint(host: configuration.coordinator.host, port: endpoint.port) : endpoint
        guard let security = configuration.security else {
            guard resolved.isLoopback else {
                throw LoadProblem(
                    .other,
                    "stage \(stage.index): next endpoint: expected one on loopback, as this worker has no keys, got "
                        + "\(resolved)")
            }
            return LinkTarget(endpoint: resolved, security: .none)
        }
        guard let key = stage.nextKey else {
            throw LoadProblem(.other, "stage \(stage.index): next key: expected one, got none")
        }
        return LinkTarget(endpoint: resolved, security: .client(security.keys, server: key))
    }

    /// All stages of the plan are there, so the next ones expect those that send to them.
    func connect(_ stages: EpochStages) {
        for stage in stages.stages.values {
            do throws(ZeroMQError) {
                stage.next = try link(to: stage.target, stages.heartbeat)
            } catch {
                post(
                    .linkFailed(
                        LinkFailure(
                            epoch: stages.epoch, stage: stage.order.index,
                            endpoint: stage.target.endpoint.description, message: "\(error)")))
            }
        }
    }

    private func link(
        to target: LinkTarget, _ heartbeat: SocketOptions.Heartbeat
    ) throws(ZeroMQError) -> StageLink {
        if let link = links[target] { return link }
        let options = Self.dataOptions(target.security, heartbeat)
        let link = StageLink(target, try loop.open(.push, options: options, monitored: true))
        try link.socket.socket.connect(target.endpoint)
        links[target] = link
        return link
    }

    func watch(_ link: StageLink) throws(ZeroMQError) {
        while let event = try link.socket.nextConnectionEvent() {
            switch event {
            case .ready:
                link.isReady = true
                link.lastProblem = nil
            case .disconnected: link.isReady = false
            case .connected: link.lastProblem = "it answers, and does not finish the handshake"
            case .handshakeFailed(_, let reason): link.lastProblem = "handshake: \(reason)"
            case .accepted: break
            }
        }
    }

    /// When the next epoch that waits for its links has waited long enough.
    var activationCheck: ContinuousClock.Instant? {
        epochs.values.compactMap { stages in
            if case .activating(let until?) = stages.phase { until } else { nil }
        }.min()
    }

    /// Tells of the links that did not come about in time, once; whether to go on waiting the coordinator decides.
    func reportUnreachable(now: ContinuousClock.Instant) {
        for stages in epochs.values {
            guard case .activating(let until?) = stages.phase, now >= until else { continue }
            stages.phase = .activating(until: nil)
            for stage in stages.unreadyStages {
                post(
                    .linkFailed(
                        LinkFailure(
                            epoch: stages.epoch, stage: stage.order.index,
                            endpoint: stage.target.endpoint.description,
                            message: stage.next?.lastProblem ?? "no answer within \(Self.linkDeadline)")))
            }
        }
    }

    func dropUnusedLinks() {
        let used = Set(epochs.values.flatMap { $0.stages.values.compactMap(\.next?.target) })
        for (target, link) in links where !used.contains(target) {
            loop.close(link.socket)
            links[target] = nil
        }
    }

    /// Lets those connect who may send to some stage that is here; which one, each message is asked for.
    func admitSenders() {
        guard let admission else { return }
        let keys = epochs.values.flatMap { $0.stages.values.flatMap(\.order.admittedKeys) }
        admission.allow(Set(keys), in: .data)
    }
}
