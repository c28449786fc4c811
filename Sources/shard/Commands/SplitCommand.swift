import ArgumentParser
import Foundation
import ShardKit
import Sharding
import Synchronization
import Terminal

struct SplitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "split",
        abstract: "Split a model into shards, each with some of its layers.",
        discussion: """
            Writes shard_000, shard_001, … and manifest.json into a folder that appears whole or not at all. Each
            shard of a GGUF model is a GGUF file; a Hugging Face model's are safetensors files, with its
            configuration and tokenizer beside them.

            Examples:
              shard split model.gguf --shards 4 -o shards
              shard split Llama-3.2-1B/ --shards 2
            """)

    @Argument(help: "A GGUF file, a Hugging Face directory, or a folder of shards.")
    var model: String

    @Option(help: "How many shards; at most as many as the model has layers are made.")
    var shards: Int

    @Option(name: .shortAndLong, help: "The folder to make; by default MODEL-shards in the current one.")
    var output: String?

    @Flag(help: "Replace the folder if there are shards in it.")
    var force = false

    @Flag(help: "Print the manifest as JSON.")
    var json = false

    @OptionGroup var program: ProgramOptions

    func validate() throws {
        guard shards >= 1 else { throw ValidationError("--shards: expected at least 1, got \(shards)") }
    }

    func run() async throws {
        program.startLogging()
        let stop = StopRequest()
        let command = self
        let manifest = try await stop.during {
            try await OwnThread.run { _ in try command.split(stop) }
        }
        if json {
            return StandardOutput.write(raw: String(decoding: manifest.encoded(), as: UTF8.self))
        }
        var table = TextTable([("FILE", .left), ("HOLDS", .left), ("SIZE", .right)])
        for shard in manifest.shards {
            table.add([shard.filename, shard.contents, ByteText.text(shard.fileSizeBytes)])
        }
        StandardOutput.write("\(folder): \(manifest.totalLayers) layers of \(manifest.source.name)")
        for line in table.lines { StandardOutput.write(line) }
    }

    private var folder: String {
        if let output { return output }
        let name = URL(fileURLWithPath: model).standardizedFileURL
        return (name.pathExtension == "gguf" ? name.deletingPathExtension() : name).lastPathComponent + "-shards"
    }

    private func split(_ stop: StopRequest) throws -> ShardManifest {
        do throws(ShardingError) {
            let splitter = try ModelSplitter(source: model)
            if let warning = ShardLayout(layerCount: splitter.layerCount, shardCount: shards).warning, !program.quiet {
                StandardError.write("\(model): \(warning)")
            }
            let reading = ProgressBar("reading", isShown: program.showsProgress)
            let writing = ProgressBar("writing", isShown: program.showsProgress)
            defer {
                reading.finish()
                writing.finish()
            }
            return try splitter.split(
                shards: shards, into: folder, isReplacing: force, hashCache: .standard(),
                progress: { (progress) throws(CancellationError) in
                    let bar = progress.phase == .reading ? reading : writing
                    bar.update(done: progress.doneBytes, total: progress.totalBytes)
                    if stop.isAsked { throw CancellationError() }
                })
        } catch {
            throw ProgramError(error.exit, error.description)
        }
    }
}

extension ShardManifest.Shard {
    /// `embedding, layers 0-3`.
    var contents: String {
        let first = layers.first.map { first in
            layers.count == 1 ? "layer \(first.index)" : "layers \(first.index)-\(first.index + layers.count - 1)"
        }
        return [layerNames.first == "embedding" ? "embedding" : nil, first, layerNames.last == "head" ? "head" : nil]
            .compactMap { $0 }.joined(separator: ", ")
    }
}

extension ShardingError {
    /// What does not fit or was asked for wrongly is no failure of the work itself.
    var exit: ProgramExit {
        switch code {
        case .noSpace, .exists, .request: .configuration
        case .model, .manifest, .mismatch, .system, .cancelled: .failedWhileRunning
        }
    }
}

/// SIGINT and SIGTERM as a request that work on another thread looks at.
final class StopRequest: Sendable {
    private let asked = Atomic(false)

    var isAsked: Bool { asked.load(ordering: .relaxed) }

    /// Runs `work`; a signal meanwhile sets ``isAsked`` instead of ending the process.
    func during<Value: Sendable>(_ work: @Sendable () async throws -> Value) async throws -> Value {
        let listener = Task {
            for await _ in Signals.stream(SIGINT, SIGTERM) { asked.store(true, ordering: .relaxed) }
        }
        defer { listener.cancel() }
        return try await work()
    }
}
