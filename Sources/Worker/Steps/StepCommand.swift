import Sharding

/// What the control thread tells the step thread, between steps.
enum StepCommand: Sendable {
    /// With the times for connections to next stages.
    case install(LoadOrder, LoadedPart, RunID, HeartbeatSettings)
    case activate(Epoch)
    case drop(Epoch)
    case stop
}
