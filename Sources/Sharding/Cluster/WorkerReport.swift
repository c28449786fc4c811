/// What a worker tells its coordinator, over the control socket.
package enum WorkerReport: Sendable, Hashable {
    case hello(WorkerHello)
    case loadProgress(LoadProgress)
    case loaded(Loaded)
    case loadFailed(LoadFailure)
    /// Steps of this epoch are taken from now on.
    case activated(Epoch)
    /// Steps of this epoch are finished and its shards dropped.
    case drained(Epoch)
    case heartbeat(WorkerHeartbeat)
    case stepFailed(StepFailure)
    case linkFailed(LinkFailure)
    case linkMeasured(MeasuredLink)
    case linksMeasured(LinkFindings)
    /// The worker leaves of its own will; one line says why.
    case leaving(String)
}

package struct LoadProgress: Sendable, Hashable {
    package var epoch: Epoch
    package var doneBytes: UInt64
    package var totalBytes: UInt64

    package init(epoch: Epoch, doneBytes: UInt64, totalBytes: UInt64) {
        self.epoch = epoch
        self.doneBytes = doneBytes
        self.totalBytes = totalBytes
    }
}

package struct Loaded: Sendable, Hashable {
    package var epoch: Epoch
    package var weightBytes: UInt64
    package var cacheBytes: UInt64

    package init(epoch: Epoch, weightBytes: UInt64, cacheBytes: UInt64) {
        self.epoch = epoch
        self.weightBytes = weightBytes
        self.cacheBytes = cacheBytes
    }
}

package struct LoadFailure: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case fileMissing
        /// The file's bytes are not those that the order names.
        case hashMismatch
        case invalidFile
        case outOfMemory
        case other
    }

    package var epoch: Epoch
    package var reason: Reason
    /// One line that names the file, what was found and what was expected.
    package var message: String

    package init(epoch: Epoch, reason: Reason, message: String) {
        self.epoch = epoch
        self.reason = reason
        self.message = message
    }
}

/// Says that a worker lives, and how far it has come; the counters only grow within a process.
package struct WorkerHeartbeat: Sendable, Hashable {
    /// The newest epoch that is active; `.none` before the first.
    package var epoch: Epoch
    package var stepsReceived: UInt64
    package var stepsCompleted: UInt64
    /// Layers computed: it moves inside a long step.
    package var layersCompleted: UInt64
    package var memoryAvailableBytes: UInt64

    package init(
        epoch: Epoch, stepsReceived: UInt64, stepsCompleted: UInt64, layersCompleted: UInt64,
        memoryAvailableBytes: UInt64
    ) {
        self.epoch = epoch
        self.stepsReceived = stepsReceived
        self.stepsCompleted = stepsCompleted
        self.layersCompleted = layersCompleted
        self.memoryAvailableBytes = memoryAvailableBytes
    }
}

/// A step that ended at a stage: a frame that does not fit its order, a send that was refused, an error in computing.
package struct StepFailure: Sendable, Hashable {
    package var epoch: Epoch
    package var step: UInt64
    package var stage: Int
    /// One line, for the client and the log.
    package var message: String

    package init(epoch: Epoch, step: UInt64, stage: Int, message: String) {
        self.epoch = epoch
        self.step = step
        self.stage = stage
        self.message = message
    }
}

/// A stage's connection to the next one, or to the coordinator's results, that did not come about in time.
package struct LinkFailure: Sendable, Hashable {
    package var epoch: Epoch
    package var stage: Int
    /// What was tried.
    package var endpoint: String
    /// What came of it; one line.
    package var message: String

    package init(epoch: Epoch, stage: Int, endpoint: String, message: String) {
        self.epoch = epoch
        self.stage = stage
        self.endpoint = endpoint
        self.message = message
    }
}
