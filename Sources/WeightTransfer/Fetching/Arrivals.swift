import Foundation
import Sharding

/// The blobs of a fetch that are there, and its end, for threads that wait for them.
///
/// Safe to share: all of its state is touched with the condition locked.
final class Arrivals: @unchecked Sendable {
    private let condition = NSCondition()
    private var entries: [FileHash: StoreEntry] = [:]
    private var result: Result<WeightFetch.Summary, WeightTransferError>?

    func add(_ entry: StoreEntry) {
        condition.withLock {
            entries[entry.hash] = entry
            condition.broadcast()
        }
    }

    func end(_ result: Result<WeightFetch.Summary, WeightTransferError>) {
        condition.withLock {
            self.result = result
            condition.broadcast()
        }
    }

    func entry(_ hash: FileHash) -> StoreEntry? { condition.withLock { entries[hash] } }

    func wait(for wanted: WantedBlob) throws(WeightTransferError) -> StoreEntry {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let entry = entries[wanted.hash] { return entry }
            if let result {
                _ = try result.get()
                throw WeightTransferError(
                    .sources, place: wanted.name, expected: "a blob that was asked for", got: "another")
            }
            condition.wait()
        }
    }

    func outcome() throws(WeightTransferError) -> WeightFetch.Summary {
        guard let result = condition.withLock({ result }) else {
            preconditionFailure("a fetch has its outcome before its thread ends")
        }
        return try result.get()
    }
}
