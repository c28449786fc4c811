import ArgumentParser
import Foundation
import ShardKit
import Terminal
import WeightTransfer

struct CacheClearCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Remove tensors and packed copies that nobody uses.",
        discussion: """
            Tensors that a running process uses or receives stay. What is removed is fetched again when it is needed.

            Examples:
              shard cache clear
              shard cache clear --older-than 7d
            """)

    @Option(help: ArgumentHelp("Keep what was used in this time: 30m, 12h, 7d, 2w.", valueName: "age"))
    var olderThan: Age?

    @OptionGroup var options: CacheOptions
    @OptionGroup var program: ProgramOptions

    /// The object that `--json` prints.
    private struct Report: Encodable {
        var folder: String
        var removed: Int
        var removed_bytes: Int
        var in_use: Int
    }

    func run() async throws {
        program.startLogging()
        let store = try options.open()
        let cutoff = olderThan.map { Date(timeIntervalSinceNow: -$0.seconds) }
        let packed = try options.openPacked()
        let clearing = await OwnThread.run { _ in
            var clearing = store.clear(unusedSince: cutoff)
            if let packed = packed?.clear(unusedSince: cutoff) { clearing += packed }
            return clearing
        }
        if options.json {
            return StandardOutput.write(
                try JSONText.line(
                    Report(
                        folder: store.folder, removed: clearing.removedCount, removed_bytes: clearing.removedBytes,
                        in_use: clearing.inUseCount)))
        }
        let kept = clearing.inUseCount == 0 ? "" : "; \(clearing.inUseCount) in use stay"
        StandardOutput.write(
            "\(store.folder): \(CacheOptions.tensors(clearing.removedCount)) removed, "
                + "\(ByteText.text(clearing.removedBytes))\(kept)")
    }
}
