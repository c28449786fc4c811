import Sharding

/// How a cluster stands, for people: who is here, what loads, the plan.
package struct ClusterStatus: Sendable, Hashable {
    package enum WorkerState: Sendable, Hashable {
        /// Why, where it is known.
        case absent(String?)
        case joined
        case loading(doneBytes: UInt64, totalBytes: UInt64)
        case loaded
        case active
    }

    package struct Worker: Sendable, Hashable {
        package var name: String
        package var device: String?
        package var threadCount: Int?
        package var processID: Int32?
        package var state: WorkerState
        /// `0-5 + head`; empty without a plan.
        package var units: String
    }

    package var workers: [Worker]
    package var plan: Plan?
    package var epoch: Epoch?
    package var readiness: EngineReadiness
    /// It does not come up like this; whoever launched it is told why.
    package var hasFailed: Bool
    package var activeSequences: Int
    package var waitingSequences: Int
}

extension ClusterMachine {
    package var readiness: EngineReadiness {
        if stoppingSince != nil { return .notReady("the coordinator is stopping") }
        switch phase {
        case .running:
            return probe == nil ? .ready : .notReady("a first token is on its way through the stages")
        case .failed(let message):
            return .notReady(message)
        case .gathering:
            let missing = registry.missing.map { name in
                registry.absences[name].map { "\(name) (\($0))" } ?? name
            }
            return .notReady(
                missing.isEmpty
                    ? "the cluster starts again" : "waiting for worker \(missing.joined(separator: ", worker "))")
        case .measuring:
            return .notReady("the workers measure the links between them")
        case .loading(let plan):
            let parts = plan.progress.sorted { $0.key < $1.key }.compactMap { name, progress -> String? in
                guard case .loading(let done, let total) = progress else { return nil }
                let percent =
                    total > 0 ? " (\(Int((100 * min(1, Double(done) / Double(total))).rounded(.down))) %)" : ""
                return "worker \(name) is loading\(percent)"
            }
            return .notReady(parts.isEmpty ? "the workers are loaded" : parts.joined(separator: ", "))
        case .activating, .connecting:
            return .notReady("the workers take up the plan")
        }
    }

    package var status: ClusterStatus {
        let plan = currentPlan
        let workers = registry.expected.map { expected -> ClusterStatus.Worker in
            let member = registry.members[expected.name]
            let order = plan?.orders[expected.name]
            let share = plan?.plan.shares.first { $0.worker == expected.name }
            return ClusterStatus.Worker(
                name: expected.name, device: member?.hello.device,
                threadCount: order?.threadCount ?? member?.hello.threadCount, processID: member?.hello.processID,
                state: state(of: expected.name, in: plan),
                units: share?.units ?? "")
        }
        let hasFailed = if case .failed = phase { true } else { false }
        return ClusterStatus(
            workers: workers, plan: plan?.plan, epoch: plan?.epoch, readiness: readiness, hasFailed: hasFailed,
            activeSequences: scheduler.active.count, waitingSequences: scheduler.waiting.count)
    }

    private func state(of name: String, in plan: EpochPlan?) -> ClusterStatus.WorkerState {
        guard registry.members[name] != nil else { return .absent(registry.absences[name]) }
        switch plan?.progress[name] {
        case .loading(let done, let total): return .loading(doneBytes: done, totalBytes: total)
        case .loaded: return .loaded
        case .activated: return .active
        case nil: return .joined
        }
    }
}
