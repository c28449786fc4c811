import Foundation
import Synchronization
import Threads

/// Brings new tensors to the disk in the background, and marks them read-only then.
///
/// Until then a tensor is good for whoever holds it open; one that its writer left before it was settled is hashed
/// again before it is used. So nobody waits for the disk, and no power failure passes zeros off as weights.
final class Settling: Sendable {
    private struct State: Sendable {
        var waiting: [LockedFile] = []
        var isRunning = false
    }

    private let state = Mutex(State())

    /// - Parameter file: Not locked: what is being settled may go, too.
    func add(_ file: LockedFile) {
        let starts = state.withLock { state in
            state.waiting.append(file)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { _ = OwnedThread(name: "shard-settle") { [self] in run() } }
    }

    /// Whether everything that was added is on the disk.
    var isIdle: Bool { state.withLock { !$0.isRunning } }

    private func run() {
        while true {
            let batch = state.withLock { state in
                defer { state.waiting = [] }
                state.isRunning = !state.waiting.isEmpty
                return state.waiting
            }
            if batch.isEmpty { return }
            for file in batch { Self.settle(file) }
        }
    }

    /// A tensor that cannot be brought to the disk stays as it is: it will be hashed before its next use.
    static func settle(_ file: LockedFile) {
        guard fdatasync(file.descriptor) == 0 else { return }
        fchmod(file.descriptor, 0o400)
    }
}
