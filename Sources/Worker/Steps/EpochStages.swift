import Inference
import Links
import Sharding
import ZeroMQ

/// One stage of one epoch.
final class EpochStage {
    let order: StageOrder
    let runner: ShardRunner
    let target: LinkTarget
    /// Made when the epoch is to be active: before that the other end may not expect this one.
    var next: DataLink?
    /// The last step that this stage computed: the next one must follow it.
    var lastStep: UInt64 = 0

    init(_ order: StageOrder, runner: ShardRunner, target: LinkTarget) {
        self.order = order
        self.runner = runner
        self.target = target
    }
}

/// What the step thread holds of an epoch: its stages, with the state of their sequences.
final class EpochStages {
    enum Phase {
        /// Steps are not taken yet.
        case installed
        /// Takes steps as soon as all links are ready; until then those that are not are told of, once.
        case activating(until: ContinuousClock.Instant?)
        case active
        /// A step failed, so the state of later ones is in doubt: they are dropped until the epoch is.
        case failed
    }

    let epoch: Epoch
    let run: RunID
    /// Keeps the device and the weights.
    let part: LoadedPart
    let stages: [Int: EpochStage]
    let heartbeat: SocketOptions.Heartbeat
    var phase = Phase.installed

    init(
        epoch: Epoch, run: RunID, part: LoadedPart, stages: [Int: EpochStage], heartbeat: SocketOptions.Heartbeat
    ) {
        self.epoch = epoch
        self.run = run
        self.part = part
        self.stages = stages
        self.heartbeat = heartbeat
    }

    /// Those that cannot send on yet, by their index.
    var unreadyStages: [EpochStage] {
        stages.values.filter { $0.next?.isReady != true }.sorted { $0.order.index < $1.order.index }
    }
}
