import Coordinator
import Sharding

/// A worker process as a value: does what it is told at once, and computes nothing.
package struct SimulatedWorker: Sendable {
    package var instance: UInt64
    package var peer: PeerID
    package var held: Set<Epoch> = []
    package var activeEpoch: Epoch?
    package var isAlive = true
    package var stepsCompleted: UInt64 = 0

    package init(instance: UInt64, peer: PeerID) {
        self.instance = instance
        self.peer = peer
    }

    package var heartbeat: WorkerReport {
        .heartbeat(
            WorkerHeartbeat(
                epoch: activeEpoch ?? .none, stepsReceived: stepsCompleted, stepsCompleted: stepsCompleted,
                layersCompleted: stepsCompleted, memoryAvailableBytes: 1 << 33))
    }

    /// Follows an order.
    ///
    /// - Parameters:
    ///   - hello: what it says when it is asked who it is.
    ///   - finding: what measuring the way to an end finds.
    /// - Returns: its reports, in order.
    package mutating func follow(
        _ order: CoordinatorOrder, hello: WorkerHello, finding: (LinkOrder.Target) -> LinkTable.Finding
    ) -> [WorkerReport] {
        switch order {
        case .measureLinks(let order):
            return [.linksMeasured(LinkFindings(order, finding))]
        case .load(let order):
            held.insert(order.epoch)
            return [
                .loadProgress(LoadProgress(epoch: order.epoch, doneBytes: 1, totalBytes: 2)),
                .loaded(Loaded(epoch: order.epoch, weightBytes: 1, cacheBytes: 1)),
            ]
        case .activate(let epoch):
            activeEpoch = epoch
            return [.activated(epoch)]
        case .drain(let epoch):
            held.remove(epoch)
            return [.drained(epoch)]
        case .identify:
            return [.hello(hello)]
        case .stop(let reason):
            return [.leaving(reason)]
        case .helloReply, .heartbeat:
            return []
        }
    }
}

extension LinkFindings {
    /// An answer to every target of an order.
    package init(_ order: LinkOrder, _ finding: (LinkOrder.Target) -> LinkTable.Finding) {
        self.init(
            number: order.number, results: order.targets.map { Result(name: $0.name, finding: finding($0)) })
    }
}

extension StepResult {
    /// What stages answer whose token after position p is p (to 89, and from 0 again), so that answers can be foretold.
    package init(foretold step: Step) {
        self.init(
            step: step.id,
            sequences: step.rows.filter { $0.output == .token }.map {
                SequenceResult(
                    sequence: $0.sequence, position: $0.position + 1,
                    outcome: .tokens([AcceptedToken(token: TokenID($0.position % 90), logprob: 0)]))
            })
    }
}
