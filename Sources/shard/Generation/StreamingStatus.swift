import Devices
import Foundation
import Streaming
import Synchronization
import Terminal

/// A line on stderr, redrawn twice a second, that says what a model that is read from disk does.
final class StreamingStatus: Sendable {
    private let watch: StreamWatch
    private let budgetBytes: Int
    private let tokenCount = Atomic(0)
    private let task = Mutex<Task<Void, Never>?>(nil)

    private static let interval = Duration.milliseconds(500)

    init(_ watch: StreamWatch, budgetBytes: Int) {
        self.watch = watch
        self.budgetBytes = budgetBytes
    }

    func countToken() { tokenCount.add(1, ordering: .relaxed) }

    /// Shows the line until ``end()``.
    func show() {
        let started = Task { [self] in
            var before = watch.now
            var time = ContinuousClock.now
            let start = time
            while (try? await Task.sleep(for: Self.interval)) != nil {
                let (state, now) = (watch.now, ContinuousClock.now)
                let seconds = (now - time) / .seconds(1)
                let line = Self.line(
                    tokens: tokenCount.load(ordering: .relaxed), seconds: (now - start) / .seconds(1),
                    bytesPerSecond: Double(state.readBytes - before.readBytes) / seconds,
                    waitedShare: (state.waited - before.waited) / .seconds(1) / seconds,
                    usedBytes: MachineFiles().processMemory?.residentBytes ?? 0, budgetBytes: budgetBytes)
                StandardError.write(raw: "\r\u{1B}[K\(line)")
                (before, time) = (state, now)
            }
            StandardError.write(raw: "\r\u{1B}[K")
        }
        task.withLock { $0 = started }
    }

    func end() { task.withLock { $0?.cancel() } }

    static func line(
        tokens: Int, seconds: Double, bytesPerSecond: Double, waitedShare: Double, usedBytes: Int, budgetBytes: Int
    ) -> String {
        String(
            format: "%d tokens, %.2f tokens/s; disk %.0f MB/s, waited %.0f %%; %@ of %@", tokens,
            Double(tokens) / max(1e-9, seconds), bytesPerSecond / 1e6, min(1, max(0, waitedShare)) * 100,
            ByteText.text(usedBytes), ByteText.text(budgetBytes))
    }
}
