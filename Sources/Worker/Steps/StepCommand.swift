import Sharding

/// What the control thread tells the step thread, between steps.
enum StepCommand: Sendable {
    /// Measure the ways to other ends, and expect those who measure the way to here.
    case measure(LinkOrder, RunID, HeartbeatSettings)
    /// With the times for connections to next stages.
    case install(LoadOrder, LoadedPart, RunID, HeartbeatSettings)
    case activate(Epoch)
    case drop(Epoch)
    case stop
}
