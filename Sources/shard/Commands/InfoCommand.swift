import ArgumentParser
import Foundation
import ModelFiles
import ShardKit
import Sharding
import Terminal

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show what a model is and what it needs.",
        discussion: """
            Reads headers only, no weights.

            Examples:
              shard info model.gguf
              shard info shards --json
              shard info Llama-3.2-1B/ --tensors
            """)

    @Argument(help: "A GGUF file, a folder of shards, one shard, or a Hugging Face directory.")
    var path: String

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Also list every tensor.")
    var tensors = false

    @OptionGroup var program: ProgramOptions

    func run() async throws {
        program.startLogging()
        let path = path
        let summary: ModelSummary
        do {
            summary = try await OwnThread.run { _ in try ModelSummary(path: path) }
        } catch let error as ShardingError {
            throw ProgramError(error.exit, error.description)
        }
        if json {
            return StandardOutput.write(try JSONText.line(InfoReport(summary, path: path, listsTensors: tensors)))
        }
        for (label, value) in lines(summary) {
            StandardOutput.write("\(label)\(String(repeating: " ", count: max(1, 15 - label.count)))\(value)")
        }
        if let manifest = summary.manifest { printTable(shards(manifest)) }
        if tensors { printTable(list(summary.model)) }
    }

    private func lines(_ summary: ModelSummary) -> [(String, String)] {
        var lines = [("model", "\(summary.model.name) (\(kind(summary)))")]
        let family = summary.modelClass.map { $0 == summary.architecture ? "" : " (\($0))" } ?? ""
        lines.append(("architecture", summary.architecture.onOneLine + family.onOneLine))
        if let reason = summary.unsupportedReason { lines.append(("cannot run", reason)) }
        lines.append(("parameters", count(summary.parameterCount)))
        if let sizes = summary.hyperparameters {
            let window = sizes.slidingWindow.map { ", window \($0.size)" } ?? ""
            lines.append(("layers", "\(sizes.blockCount)"))
            lines.append(("context", "\(sizes.contextLength) tokens\(window)"))
            lines.append(
                (
                    "sizes",
                    "hidden \(sizes.hiddenSize), feed-forward \(sizes.feedForwardSize), vocabulary \(sizes.vocabularySize)"
                ))
            lines.append(
                (
                    "attention",
                    "\(sizes.headCount) heads of \(sizes.headDim), \(sizes.keyValueHeadCount) for keys and values"
                ))
        }
        lines.append(("weights", ByteText.text(summary.weightBytes) + quantisation(summary)))
        if let bytes = summary.stateBytesPerToken {
            lines.append(("cache", "\(ByteText.text(bytes * 1000)) for 1000 tokens in f16, twice that in f32"))
        }
        if let tokenizer = summary.tokenizer {
            lines.append(("tokenizer", tokenizer.kind + (tokenizer.tokenCount.map { ", \($0) tokens" } ?? "")))
        } else {
            lines.append(("tokenizer", "none"))
        }
        return lines
    }

    private func kind(_ summary: ModelSummary) -> String {
        let files = summary.model.files.count
        switch summary.kind {
        case .gguf: return files == 1 ? "GGUF" : "GGUF in \(files) parts"
        case .huggingFace: return files == 1 ? "Hugging Face" : "Hugging Face in \(files) files"
        case .shardFolder:
            return "\(files == 1 ? "1 shard" : "\(files) shards") of \(summary.manifest?.source.name ?? "")"
        case .shard(let index, let count, let layers):
            let range =
                layers.count == 1
                ? "layer \(layers.lowerBound)" : "layers \(layers.lowerBound)-\(layers.upperBound - 1)"
            return "shard \(index) of \(count): \(layers.isEmpty ? "no layers" : range)"
        }
    }

    /// `: q8_0 99.2 %, f32 0.8 %`.
    private func quantisation(_ summary: ModelSummary) -> String {
        guard summary.weightBytes > 0 else { return "" }
        let parts = summary.types.map { share in
            String(format: "%@ %.1f %%", share.type, 100 * Double(share.bytes) / Double(summary.weightBytes))
        }
        return ": " + parts.joined(separator: ", ")
    }

    private func count(_ number: Int) -> String {
        for (size, word) in [(1e9, "billion"), (1e6, "million")] where Double(number) >= size {
            return String(format: "%.2f %@", Double(number) / size, word)
        }
        return "\(number)"
    }

    private func printTable(_ table: TextTable) {
        StandardOutput.write("")
        for line in table.lines { StandardOutput.write(line) }
    }

    private func shards(_ manifest: ShardManifest) -> TextTable {
        var table = TextTable([
            ("SHARD", .right), ("FILE", .left), ("HOLDS", .left), ("SIZE", .right), ("SHA-256", .left),
        ])
        for shard in manifest.shards {
            table.add([
                "\(shard.shardID)", shard.filename, shard.contents, ByteText.text(shard.fileSizeBytes),
                "\(shard.sha256.prefix(12))…",
            ])
        }
        return table
    }

    private func list(_ model: ModelFile) -> TextTable {
        var table = TextTable([
            ("TENSOR", .left), ("TYPE", .left), ("SHAPE", .left), ("BYTES", .right), ("FILE", .left),
        ])
        for tensor in model.tensors {
            table.add([
                tensor.name.onOneLine, tensor.type.name, tensor.shape.map(String.init).joined(separator: " × "),
                "\(tensor.byteCount)", model.files[tensor.fileIndex].name.onOneLine,
            ])
        }
        return table
    }
}
