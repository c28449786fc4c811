import Sharding
import Synchronization

/// Hands out sequence ids, each once.
final class SequenceCounter: Sendable {
    private let last = Atomic<UInt64>(0)

    func next() -> SequenceID { SequenceID(last.add(1, ordering: .relaxed).newValue) }
}
