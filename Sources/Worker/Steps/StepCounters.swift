import Synchronization

/// How far the step thread has come, for the control thread's heartbeats.
final class StepCounters: Sendable {
    /// The newest active epoch; 0 before the first.
    let epoch = Atomic<UInt64>(0)
    let stepsReceived = Atomic<UInt64>(0)
    let stepsCompleted = Atomic<UInt64>(0)
    let layersCompleted = Atomic<UInt64>(0)
}
