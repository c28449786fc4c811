import ArgumentParser
import Devices
import Foundation
import Inference
import ShardKit
import Sharding
import Terminal

struct LogitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logits",
        abstract: "Write the logits that follow each of the given tokens.",
        discussion: """
            The file holds little-endian f32, one row of the vocabulary's size for each token, in order. Rows are equal
            bit for bit for any number of threads, workers and rows a step.

            Examples:
              shard logits model.gguf --tokens 1,2,3 -o logits.f32
              shard logits model.gguf --tokens 1,2,3 -o split.f32 --workers 2 && cmp logits.f32 split.f32
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var program: ProgramOptions

    @Option(help: "Token ids: 1,2,3")
    var tokens: TokenList

    @Option(name: .shortAndLong, help: "The file to write.")
    var output: String

    @Option(help: "Rows of one step at most.")
    var chunk: Int = LogitsCommand.rowsMax

    @Option(help: "Type of cached keys and values: f32, f16 or q8_0.")
    var kvType: CacheType = .f32

    @Option(help: "How quantised weights meet activations: int8, or float (slow; the reference for accuracy).")
    var activations: ActivationType = .int8

    private static let rowsMax = 256

    func validate() throws {
        guard 1...Self.rowsMax ~= chunk else {
            throw ValidationError("--chunk: expected 1 to \(Self.rowsMax), got \(chunk)")
        }
        guard !tokens.ids.isEmpty else { throw ValidationError("--tokens: expected at least one id, got none") }
    }

    func run() async throws {
        program.startLogging()
        let opened = try await model.open()
        if let wrong = tokens.ids.first(where: { $0 >= opened.spec.vocabularySize }) {
            throw ProgramError(
                .configuration, "--tokens: expected ids below \(opened.spec.vocabularySize), got \(wrong)")
        }
        guard tokens.ids.count <= opened.spec.contextLength else {
            throw ProgramError(
                .configuration,
                "--tokens: expected at most \(opened.spec.contextLength), the model's context, got \(tokens.ids.count)")
        }
        let file = try ResultFile(path: output)
        do {
            if model.usesWorkers {
                try await writeFromWorkers(opened, file)
            } else {
                try await writeFromThisProcess(opened, file)
            }
            try file.commit()
        } catch {
            file.discard()
            throw error
        }
    }

    private func writeFromThisProcess(_ opened: OpenedModel, _ file: ResultFile) async throws {
        var cpu = try model.cpuOptions()
        cpu.activations = activations.activations
        let (ids, chunk, cacheType) = (tokens.ids, chunk, kvType.element)
        if model.mode == .memoryEfficient {
            let setup = try await model.streamingSetup(
                opened, cacheType: cacheType, contextLength: ids.count, showsProgress: program.showsProgress)
            return try await OwnThread.run { [cpu] _ in
                // All rows of a step are wanted, which is more than a budget counts.
                try Self.write(
                    try opened.chain(cpu: cpu, setup), ids, chunk: min(chunk, ShardRunnerOptions.logitRowsMax),
                    to: file)
            }
        }
        try opened.checkMemory(cacheType: cacheType, contextLength: ids.count)
        try await OwnThread.run { [cpu] _ in
            let chain = try opened.chain(
                cpu: cpu, cacheType: cacheType, contextLength: ids.count, rowsMax: Self.rowsMax)
            try Self.write(chain, ids, chunk: chunk, to: file)
        }
    }

    private static func write(_ chain: ShardChain, _ ids: [TokenID], chunk: Int, to file: ResultFile) throws {
        try chain.logits(of: ids, chunk: chunk) { rows throws(InferenceError) in
            do { try file.append(rows) } catch {
                throw InferenceError(.device, place: file.path, "\(error)")
            }
        }
    }

    private func writeFromWorkers(_ opened: OpenedModel, _ file: ResultFile) async throws {
        guard activations == .int8 else {
            throw ProgramError(
                .configuration, "--activations float: runs in one process only; leave out --workers and --cluster")
        }
        let session = try await model.startWorkers(
            opened, cacheType: kvType.element, contextLength: tokens.ids.count, program)
        do {
            try await session.logits(of: tokens.ids, chunk: chunk) { try file.append($0) }
        } catch {
            await session.stop()
            throw error
        }
        await session.stop()
    }
}
