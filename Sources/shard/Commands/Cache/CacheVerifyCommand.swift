import ArgumentParser
import ShardKit
import Terminal
import WeightTransfer

struct CacheVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Hash every tensor again.",
        discussion: """
            A tensor whose bytes do not have its hash is removed and named on a line of its own, and the exit code
            is 1; it is fetched again when it is needed.

            Example:
              shard cache verify
            """)

    @OptionGroup var options: CacheOptions
    @OptionGroup var program: ProgramOptions

    /// The object that `--json` prints.
    private struct Report: Encodable {
        var folder: String
        var good: Int
        var good_bytes: Int
        var partial: Int
        var removed: [String]
    }

    func run() async throws {
        program.startLogging()
        let store = try options.open()
        let stop = StopRequest()
        let showsProgress = program.showsProgress
        let found: StoreVerification
        do {
            found = try await stop.during {
                try await OwnThread.run { _ in
                    let bar = ProgressBar("verifying", isShown: showsProgress)
                    defer { bar.finish() }
                    return try store.verify { (done, total) throws(CancellationError) in
                        bar.update(done: done, total: total)
                        if stop.isAsked { throw CancellationError() }
                    }
                }
            }
        } catch is CancellationError {
            throw ProgramError(.failedWhileRunning, "\(store.folder): stopped before all was verified")
        }
        if options.json {
            StandardOutput.write(
                try JSONText.line(
                    Report(
                        folder: store.folder, good: found.goodCount, good_bytes: found.goodBytes,
                        partial: found.partCount, removed: found.bad.map(\.description))))
        }
        guard found.bad.isEmpty else {
            let lines = found.bad.map {
                "\(store.folder): \($0): expected bytes with this SHA-256, got others; it was removed"
            }
            throw ProgramError(.failedWhileRunning, lines)
        }
        if !options.json {
            let parts = found.partCount == 0 ? "" : "; \(found.partCount) more in part"
            StandardOutput.write(
                "\(store.folder): \(CacheOptions.tensors(found.goodCount)), \(ByteText.text(found.goodBytes)), "
                    + "all as named\(parts)")
        }
    }
}
