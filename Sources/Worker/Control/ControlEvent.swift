import Sharding
import ZeroMQ

/// What reaches the control thread from this process's other threads.
enum ControlEvent: Sendable {
    /// The step thread listens.
    case listening(Endpoint)
    /// The step thread cannot go on.
    case stepThreadFailed(String)
    case loadProgress(LoadProgress)
    case partLoaded(LoadOrder, LoadedPart)
    case loadFailed(LoadFailure)
    /// The step thread has what it needs to run an epoch's steps.
    case installed(Loaded)
    case installFailed(LoadFailure)
    case activated(Epoch)
    case drained(Epoch)
    case stepFailed(StepFailure)
    case linkFailed(LinkFailure)
    case linkMeasured(MeasuredLink)
    case linksMeasured(LinkFindings)
    case leave(String)
}
