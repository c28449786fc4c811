import Foundation
import Synchronization

/// Whether the task that waits for some work was cancelled.
final class Cancellation: Sendable {
    private let flag = Atomic(false)

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    func cancel() { flag.store(true, ordering: .relaxed) }
}

/// Runs long work that blocks on a thread of its own: tasks share threads that must never block.
enum OwnThread {
    private static let stackBytes = 8 << 20

    static func run<Value: Sendable>(
        _ work: @escaping @Sendable (Cancellation) throws(ShardKitError) -> Value
    ) async throws(ShardKitError) -> Value {
        let cancellation = Cancellation()
        let result: Result<Value, ShardKitError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let thread = Thread {
                    do throws(ShardKitError) {
                        continuation.resume(returning: .success(try work(cancellation)))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
                thread.stackSize = stackBytes
                thread.start()
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }
}
