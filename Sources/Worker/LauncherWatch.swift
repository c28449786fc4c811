import Glibc
import Threads

/// Tells when whoever started this process has gone: its end of the standard input closes, however it ended.
package enum LauncherWatch {
    /// Calls `body` once, on a thread of its own, when standard input ends.
    package static func onEnd(_ body: @escaping @Sendable () -> Void) {
        _ = OwnedThread(name: "shard-launcher") {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count > 0 || (count < 0 && errno == EINTR) { continue }
                break
            }
            body()
        }
    }
}
