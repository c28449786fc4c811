/// How a worker's life ended.
package enum WorkerOutcome: Sendable, Hashable {
    /// It left, as it was asked to; one line says by whom.
    case left(String)
    /// It cannot go on.
    case failed(WorkerError)
}
