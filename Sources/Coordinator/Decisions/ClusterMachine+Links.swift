import Logging
import Sharding
import ZeroMQ

/// How far the measuring of links has come: all ends admit each other first, so that none is turned away.
struct LinkMeasurement: Sendable {
    var number: UInt64
    /// Whom the ends only admit so far; empty while they measure.
    var admittedKeys: [CurvePublicKey] = []
    /// Ends that have not answered; the empty name stands for the coordinator.
    var waiting: Set<String> = []
    /// What each is to measure.
    var targets: [String: [LinkOrder.Target]]
    var since: Duration

    var isAdmitting: Bool { !admittedKeys.isEmpty }

    func order(for name: String) -> LinkOrder {
        isAdmitting
            ? LinkOrder(number: number, admittedKeys: admittedKeys)
            : LinkOrder(number: number, targets: targets[name] ?? [])
    }
}

extension ClusterMachine {
    /// Seconds; what is predicted to take longer than years is not worth a number.
    private static let predictionMax = 1e9
    /// Ways that a worker measures at most: to those after it, in the order of stages.
    private static let targetsMax = 8

    /// Starts to measure the ways that a plan may need and nobody has tried; nil when there are none.
    ///
    /// On one machine all ways are short: there they are measured when they are used, unless only a plan is asked for.
    mutating func measure(now: Duration) -> [ClusterAction]? {
        let members = registry.expected.compactMap { registry.members[$0.name]?.hello }
        guard settings.plansOnly || members.contains(where: { !Self.isHere($0) }) else { return nil }
        let targets = linkTargets(members.map(\.name))
        guard !targets.isEmpty else { return nil }
        for (from, ends) in targets {
            askedLinks.formUnion(ends.map { LinkTable.Edge(from: from, to: $0.name) })
        }
        linkOrderCount += 1
        let keys = settings.coordinatorKey == nil ? [] : Set(members.compactMap { registry.key(of: $0.name) })
        let admitted = keys.union([settings.coordinatorKey].compactMap(\.self)).sorted {
            $0.description < $1.description
        }
        var measurement = LinkMeasurement(number: linkOrderCount, targets: targets, since: now)
        guard !keys.isEmpty else { return sendLinkOrders(measurement, to: targets.keys) }
        measurement.admittedKeys = admitted
        return [.admitResults(keys)] + sendLinkOrders(measurement, to: members.map(\.name))
    }

    /// What each end found.
    package mutating func measured(_ findings: LinkFindings, by name: String, now: Duration) -> [ClusterAction] {
        guard case .measuring(var measurement) = phase, measurement.number == findings.number,
            measurement.waiting.remove(name) != nil
        else { return [] }
        let asked = Set((measurement.targets[name] ?? []).map(\.name))
        var news: [ClusterAction] = []
        for result in findings.results where asked.contains(result.name) {
            links[name, result.name] = result.finding
            guard case .unreachable(let reason) = result.finding else { continue }
            let text = Placement.unreachableText(from: name, to: result.name, reason: reason)
            news.append(.log(.warning, "links: \(text); planning without that way", worker: nil))
        }
        phase = .measuring(measurement)
        guard measurement.waiting.isEmpty else { return news }
        guard measurement.isAdmitting else { return news + endMeasuring(measurement, now: now) }
        linkOrderCount += 1
        measurement.number = linkOrderCount
        measurement.admittedKeys = []
        return news + sendLinkOrders(measurement, to: measurement.targets.keys)
    }

    private mutating func sendLinkOrders(
        _ measurement: LinkMeasurement, to ends: some Sequence<String>
    ) -> [ClusterAction] {
        var measurement = measurement
        measurement.waiting = Set(ends)
        phase = .measuring(measurement)
        return measurement.waiting.sorted().compactMap { name in
            if name == LinkTable.coordinator { return .measure(measurement.order(for: name)) }
            return registry.members[name].map { .send(.measureLinks(measurement.order(for: name)), to: $0.peer) }
        }
    }

    /// All have answered, or the time for it is up.
    mutating func endMeasuring(_ measurement: LinkMeasurement, now: Duration) -> [ClusterAction] {
        phase = .gathering
        guard !measurement.waiting.isEmpty else { return gather(now: now) }
        let names = measurement.waiting.map { $0.isEmpty ? "the coordinator" : "worker \($0)" }.sorted()
        return [
            .log(
                .warning,
                "links: no answer from \(names.joined(separator: ", ")) within \(Self.seconds(deadlines.measuring)); "
                    + "planning without", worker: nil)
        ] + gather(now: now)
    }

    /// What was tried in vain, or not answered, is tried again before the next plan.
    mutating func forgetObstacles() {
        links.forgetUnreachable()
        askedLinks = askedLinks.filter { links[$0.from, $0.to] != nil }
    }

    /// A worker has come. One that is somewhere else than it was takes no links along, and what was in vain may not be
    /// any more.
    mutating func noteHost(of hello: WorkerHello) {
        let (name, host) = (hello.name, Endpoint(hello.dataEndpoint)?.host ?? "")
        if linkHosts.updateValue(host, forKey: name) != host {
            links.forget(name)
            askedLinks = askedLinks.filter { $0.from != name && $0.to != name }
        }
        forgetObstacles()
    }

    /// By the end that measures: from the coordinator to all, from each to later ones and back. Layers may be dealt in
    /// another order than that only where the configuration says so.
    private func linkTargets(_ names: [String]) -> [String: [LinkOrder.Target]] {
        var targets: [String: [LinkOrder.Target]] = [:]
        let back = LinkOrder.Target(
            name: LinkTable.coordinator, endpoint: settings.resultsEndpoint, key: settings.coordinatorKey)
        func add(_ target: LinkOrder.Target?, from: String) {
            guard let target, !askedLinks.contains(LinkTable.Edge(from: from, to: target.name)) else { return }
            targets[from, default: []].append(target)
        }
        for (index, name) in names.enumerated() {
            add(target(name), from: LinkTable.coordinator)
            let others =
                settings.policy == .balanced ? names[(index + 1)...] : (names[(index + 1)...] + names[..<index])
            for other in others.prefix(Self.targetsMax) { add(target(other), from: name) }
            add(back, from: name)
        }
        return targets
    }

    private func target(_ name: String) -> LinkOrder.Target? {
        registry.members[name].map {
            LinkOrder.Target(name: name, endpoint: $0.hello.dataEndpoint, key: $0.peer.key)
        }
    }

    private static func isHere(_ hello: WorkerHello) -> Bool {
        Endpoint(hello.dataEndpoint).map { $0.isLoopback || $0.isWildcard } ?? false
    }

    // MARK: While a plan runs

    /// What a stage's way to the next one gives; -1 stands for the coordinator's way to the first.
    package mutating func noteLink(
        stage: Int, _ epoch: Epoch, _ estimate: LinkEstimate, by name: String = LinkTable.coordinator
    ) -> [ClusterAction] {
        guard var plan = currentPlan, plan.epoch == epoch, plan.plan.hops.indices.contains(stage + 1),
            plan.plan.hops[stage + 1].from == name
        else { return [] }
        let hop = plan.plan.hops[stage + 1]
        links[hop.from, hop.to] = .measured(estimate)
        plan.plan.hops[stage + 1].estimate = estimate
        plan.plan.hops[stage + 1].isMeasured = true
        replacePlan(plan)
        scheduler.rowsMax = plan.plan.rowsMax(settings.placementModel)
        let edge = LinkTable.Edge(from: hop.from, to: hop.to)
        guard let told = toldLinks[edge] ?? (hop.isMeasured ? hop.estimate : nil) else {
            toldLinks[edge] = estimate
            return []
        }
        guard estimate.differsMuch(from: told) else { return [] }
        toldLinks[edge] = estimate
        return [.log(.notice, "link \(hop.ends): now \(estimate.text), was \(told.text)", worker: nil)]
    }

    private mutating func replacePlan(_ plan: EpochPlan) {
        switch phase {
        case .loading: phase = .loading(plan)
        case .activating(_, let since): phase = .activating(plan, since: since)
        case .connecting(_, let since): phase = .connecting(plan, since: since)
        case .running: phase = .running(plan)
        case .gathering, .measuring, .failed: break
        }
    }

    /// How long a step may stand still: as long as is configured, and longer where it has a long way to go.
    ///
    /// 10 s and three times what is predicted, or three times that and the configured time where that is less.
    func stepDeadline(rows: Int, _ plan: Plan) -> Duration {
        let predicted = plan.seconds(ofRows: rows, rowBytes: settings.placementModel.rowBytes)
        return max(deadlines.step, min(.seconds(10), deadlines.step) + .seconds(min(3 * predicted, Self.predictionMax)))
    }
}

extension Plan {
    /// Rows of a step that no link takes longer than a second for, so that what comes after it need not wait longer.
    func rowsMax(_ model: PlacementModel) -> Int {
        let slowest = hops.dropLast().map(\.estimate.bytesPerSecond).min() ?? .infinity
        let rows = slowest / Double(max(1, model.rowBytes))
        return rows >= Double(WireLimits.rowsMax) ? WireLimits.rowsMax : max(1, Int(rows))
    }
}

extension LinkEstimate {
    /// Whether somebody who watches wants to know: a change by half, of what can be felt.
    fileprivate func differsMuch(from other: LinkEstimate) -> Bool {
        let trips = [roundTrip.seconds, other.roundTrip.seconds].sorted()
        let rates = [bytesPerSecond, other.bytesPerSecond].sorted()
        return trips[1] > max(2 * trips[0], 0.005) || (rates[1] > 2 * rates[0] && rates[0] < 1e9)
    }
}
