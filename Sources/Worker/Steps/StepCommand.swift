import Sharding

/// What the control thread tells the step thread, between steps.
enum StepCommand: Sendable {
    case install(LoadOrder, LoadedPart, RunID)
    case activate(Epoch)
    case drop(Epoch)
    case stop
}
