import Synchronization

/// Counts what holds weights in a worker: loads under way, and parts in use. A budget of memory has room for one.
final class WeightHolders: Sendable {
    private let holders = Mutex(0)

    var count: Int { holders.withLock { $0 } }

    /// One more, as long as what is returned lives.
    func enter() -> Presence { Presence(self) }

    final class Presence: Sendable {
        private let holders: WeightHolders

        fileprivate init(_ holders: WeightHolders) {
            self.holders = holders
            holders.holders.withLock { $0 += 1 }
        }

        deinit { holders.holders.withLock { $0 -= 1 } }
    }
}
