/// What a message is; its number stands in the prefix. Numbers are never used again.
package enum MessageType: UInt16, Sendable, Hashable, CaseIterable {
    // Worker to coordinator, control.
    case hello = 1
    case loadProgress = 2
    case loaded = 3
    case loadFailure = 4
    case activated = 5
    case drained = 6
    case workerHeartbeat = 7
    case stepFailure = 8
    case leaving = 9
    case linkFailure = 10
    case linkMeasured = 11
    case linksMeasured = 12

    // Coordinator to worker, control.
    case helloReply = 32
    case identify = 33
    case load = 34
    case activate = 35
    case drain = 36
    case heartbeat = 37
    case stop = 38
    case measureLinks = 39

    // Data.
    case step = 64
    case stepResult = 65
    case logits = 66
    case linkProbe = 67
    case linkEcho = 68

    // Weights.
    case weightRequest = 96
    case weightChunk = 97
    case weightRefusal = 98

    /// As errors and logs name it.
    package var name: String { "\(self)" }

    /// Read whatever the sender's version is, so that two versions can refuse each other by name.
    var isVersionless: Bool { self == .hello || self == .helloReply }
}
