import ArgumentParser
import ShardKit
import Sharding
import Terminal

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every hash of a folder of shards.",
        discussion: """
            Reads all files and compares their sizes and SHA-256, and those of each tensor, with manifest.json. Every
            file that differs is named on a line of its own, and the exit code is 1.

            Example:
              shard verify shards
            """)

    @Argument(help: "A folder that shard split made.")
    var folder: String

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var program: ProgramOptions

    /// The object that `--json` prints.
    private struct Report: Encodable {
        struct BadFile: Encodable {
            var filename: String
            var error: String
        }

        var files: Int
        var bytes: Int
        var bad: [BadFile]
    }

    func run() async throws {
        program.startLogging()
        let stop = StopRequest()
        let command = self
        let (folder, bad) = try await stop.during {
            try await OwnThread.run { _ in try command.verify(stop) }
        }
        let fileCount = folder.manifest.shards.count + (folder.manifest.files?.count ?? 0)
        if json {
            let files = bad.map { Report.BadFile(filename: $0.filename, error: $0.error.description) }
            StandardOutput.write(
                try JSONText.line(Report(files: fileCount, bytes: folder.byteCount, bad: files)))
        }
        guard bad.isEmpty else { throw ProgramError(.failedWhileRunning, bad.map(\.error.description)) }
        if !json {
            StandardOutput.write(
                "\(folder.path): \(fileCount) files, \(ByteText.text(folder.byteCount)), all as the manifest says")
        }
    }

    private func verify(_ stop: StopRequest) throws -> (ShardFolder, [BadShardFile]) {
        do {
            let opened = try ShardFolder(path: folder)
            let bar = ProgressBar("verifying", isShown: program.showsProgress)
            defer { bar.finish() }
            var done = 0
            let bad = try opened.verify(
                cache: .standard(),
                progress: { (bytes) throws(CancellationError) in
                    done += bytes
                    bar.update(done: done, total: opened.byteCount)
                    if stop.isAsked { throw CancellationError() }
                })
            return (opened, bad)
        } catch let error as ShardingError {
            throw ProgramError(error.exit, error.description)
        } catch is CancellationError {
            throw ProgramError(.failedWhileRunning, "\(folder): stopped before all was verified")
        }
    }
}
