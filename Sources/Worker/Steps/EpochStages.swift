import Inference
import Sharding
import ZeroMQ

/// A connection to the next stage, shared by all stages that send there.
final class StageLink {
    let endpoint: Endpoint
    let socket: LoopSocket
    /// Whether the other end has answered the handshake, so that a send is not refused.
    var isReady = false

    init(_ endpoint: Endpoint, _ socket: LoopSocket) {
        self.endpoint = endpoint
        self.socket = socket
    }
}

/// One stage of one epoch.
final class EpochStage {
    let order: StageOrder
    let runner: ShardRunner
    let next: StageLink
    /// The last step that this stage computed: the next one must follow it.
    var lastStep: UInt64 = 0

    init(_ order: StageOrder, runner: ShardRunner, next: StageLink) {
        self.order = order
        self.runner = runner
        self.next = next
    }
}

/// What the step thread holds of an epoch: its stages, with the state of their sequences.
final class EpochStages {
    enum Phase {
        /// Steps are not taken yet.
        case installed
        /// Takes steps as soon as all links are ready.
        case activating
        case active
        /// A step failed, so the state of later ones is in doubt: they are dropped until the epoch is.
        case failed
    }

    let epoch: Epoch
    let run: RunID
    /// Keeps the device and the weights.
    let part: LoadedPart
    let stages: [Int: EpochStage]
    var phase = Phase.installed

    init(epoch: Epoch, run: RunID, part: LoadedPart, stages: [Int: EpochStage]) {
        self.epoch = epoch
        self.run = run
        self.part = part
        self.stages = stages
    }

    var areLinksReady: Bool { stages.values.allSatisfy(\.next.isReady) }
}
