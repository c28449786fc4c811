import Links
import Sharding
import ZeroMQ

/// Connections to the stages after those that are here.
extension StepLoop {
    /// From the order to activate to the last handshake with a next stage, and its last echo.
    static let linkDeadline = Duration.seconds(8)

    /// Where a stage sends to.
    func target(of stage: StageOrder) throws(LoadProblem) -> LinkTarget {
        switch target(stage.nextEndpoint, stage.nextKey) {
        case .success(let target): return target
        case .failure(let problem): throw LoadProblem(.other, "stage \(stage.index): next stage: \(problem.message)")
        }
    }

    /// Another end's data socket. A wildcard is the coordinator's machine, as this one reaches it.
    func target(_ text: String, _ key: CurvePublicKey?) -> Result<LinkTarget, LinkProblem> {
        guard let endpoint = Endpoint(text), endpoint.port > 0 else {
            return .failure(LinkProblem("endpoint: expected tcp://HOST:PORT, got \(text)"))
        }
        let resolved =
            endpoint.isWildcard ? Endpoint(host: configuration.coordinator.host, port: endpoint.port) : endpoint
        guard let security = configuration.security else {
            guard resolved.isLoopback else {
                return .failure(
                    LinkProblem("endpoint: expected one on loopback, as this worker has no keys, got \(resolved)"))
            }
            return .success(LinkTarget(endpoint: resolved, security: .none))
        }
        guard let key else { return .failure(LinkProblem("key: expected one, got none")) }
        return .success(LinkTarget(endpoint: resolved, security: .client(security.keys, server: key)))
    }

    /// All stages of the plan are there, so the next ones expect those that send to them.
    func connect(_ stages: EpochStages) throws(ZeroMQError) {
        for stage in stages.stages.values {
            do throws(ZeroMQError) {
                stage.next = try link(for: stage, of: stages)
            } catch {
                post(
                    .linkFailed(
                        LinkFailure(
                            epoch: stages.epoch, stage: stage.order.index,
                            endpoint: stage.target.endpoint.description, message: "\(error)")))
            }
        }
    }

    private func link(for stage: EpochStage, of stages: EpochStages) throws(ZeroMQError) -> DataLink {
        if let link = links[stage.target] {
            if let estimate = link.estimate { report(estimate, of: stage, in: stages) }
            if link.estimate != nil || link.epoch == stages.epoch { return link }
            // It asks in the name of an epoch that the other end may have dropped.
            link.close()
        }
        let link = try DataLink(
            to: stage.target, in: loop, run: stages.run, epoch: stages.epoch, stage: stage.order.index + 1,
            heartbeat: stages.heartbeat)
        links[stage.target] = link
        return link
    }

    func watchLinks(now: ContinuousClock.Instant) throws(ZeroMQError) {
        for link in links.values {
            for change in try link.watch(now: now) {
                guard case .measured(let estimate) = change else { continue }
                for stages in epochs.values {
                    for stage in stages.stages.values where stage.next === link {
                        report(estimate, of: stage, in: stages)
                    }
                }
            }
        }
    }

    private func report(_ estimate: LinkEstimate, of stage: EpochStage, in stages: EpochStages) {
        post(.linkMeasured(MeasuredLink(epoch: stages.epoch, stage: stage.order.index, estimate: estimate)))
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
                            message: stage.next?.obstacle ?? "no answer within \(Self.linkDeadline)")))
            }
        }
    }

    func dropUnusedLinks() {
        let used = Set(epochs.values.flatMap { $0.stages.values.compactMap(\.next?.target) })
        for (target, link) in links where !used.contains(target) {
            link.close()
            links[target] = nil
        }
    }

    /// Lets those connect who may send to some stage that is here; which one, each message is asked for.
    func admitSenders() {
        guard let admission else { return }
        let keys = epochs.values.flatMap { $0.stages.values.flatMap(\.order.admittedKeys) }
        admission.allow(Set(keys).union(survey?.admittedKeys ?? []), in: .data)
    }
}
