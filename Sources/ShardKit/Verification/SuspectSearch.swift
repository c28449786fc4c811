import Coordinator
import Logging
import Sharding

/// Looks for the worker that a difference comes from: leaves out each in turn, and sees whether the others are right.
package struct SuspectSearch: Sendable {
    /// What came of leaving a worker out.
    package struct Trial: Sendable, Hashable {
        package enum Finding: Sendable, Hashable {
            case equal
            case different
            /// The others cannot run the model.
            case failed(String)
        }

        package var worker: String
        /// The layers that it had in the plan that differed: `4-7 + head`.
        package var units: String
        package var finding: Finding

        package init(worker: String, units: String, finding: Finding) {
            self.worker = worker
            self.units = units
            self.finding = finding
        }
    }

    private let model: OpenedModel
    private let options: ClusterOptions
    private let work: VerificationWork
    private let reference: VerificationReference
    private let logger: Logger

    /// nil where it cannot be found out: workers that somebody else starts end with the cluster and do not come again,
    /// and a single one cannot be left out.
    package init?(
        _ model: OpenedModel, options: ClusterOptions, work: VerificationWork, reference: VerificationReference,
        logger: Logger
    ) {
        guard options.workers.count > 1, options.workers.allSatisfy({ $0.start != .external }) else { return nil }
        self.model = model
        self.options = options
        self.work = work
        self.reference = reference
        self.logger = logger
    }

    /// - Parameters:
    ///   - subject: a check that differs.
    ///   - plan: by which it does.
    ///   - report: called before each trial with the worker that is left out.
    package func run(
        _ subject: VerificationCheck.Subject, plan: Plan, _ report: (String) -> Void
    ) async -> [Trial] {
        var trials: [Trial] = []
        for share in plan.shares where !Task.isCancelled {
            report(share.worker)
            trials.append(
                Trial(
                    worker: share.worker, units: share.units, finding: await leaveOut(share.worker, subject)))
        }
        return trials
    }

    private func leaveOut(_ worker: String, _ subject: VerificationCheck.Subject) async -> Trial.Finding {
        var options = options
        options.workers.removeAll { $0.name == worker }
        // Its layers go to the others, whoever was to have which.
        options.policy = .balanced
        for index in options.workers.indices { options.workers[index].layers = nil }
        do {
            let session = try await WorkerSession.start(model, cluster: options, logger: logger)
            let verification = ClusterVerification(work: work, reference: reference, engine: session.engine)
            let check = try await session.during { try await verification.check(subject) }
            return check.difference == nil ? .equal : .different
        } catch {
            return .failed("\(error)")
        }
    }

    /// The one without which the others are right, while they are wrong without any other; nil where it is not as simple.
    package static func suspect(_ trials: [Trial]) -> Trial? {
        let equal = trials.filter { $0.finding == .equal }
        guard equal.count == 1, trials.allSatisfy({ $0.finding == .equal || $0.finding == .different }) else {
            return nil
        }
        return equal.first
    }
}
