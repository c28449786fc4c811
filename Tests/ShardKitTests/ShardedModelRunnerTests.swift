import Foundation
import ShardKit
import Testing

@Suite("A sharded model in this process")
struct ShardedModelRunnerTests {
    private static let tokens: [Int32] = [1, 5, 9, 2, 7, 30, 11]

    @Test("logits are equal bit for bit for any number of shards")
    func logits() async throws {
        let whole = try await ShardedModelRunner(shards: Fixtures.tiny, options: Fixtures.options)
        let expected = try await whole(Self.tokens)
        #expect(expected.tokenCount == Self.tokens.count && expected.values.allSatisfy(\.isFinite))
        for count in 2...3 {
            try await Fixtures.withFolder { folder in
                try await splitModel(at: Fixtures.tiny, shards: count, into: folder)
                let runner = try await ShardedModelRunner(shards: folder, options: Fixtures.options)
                let logits = try await runner(Self.tokens)
                #expect(logits.values.map(\.bitPattern) == expected.values.map(\.bitPattern))
            }
        }
    }

    @Test("an embedding is one vector, equal bit for bit for any number of shards; wrong tokens are refused")
    func embedding() async throws {
        let whole = try await ShardedModelRunner(shards: Fixtures.tiny, options: Fixtures.options)
        let expected = try await whole.embedding(Self.tokens)
        #expect(!expected.isEmpty && expected.allSatisfy { $0.isFinite })
        try await Fixtures.withFolder { folder in
            try await splitModel(at: Fixtures.tiny, shards: 2, into: folder)
            let runner = try await ShardedModelRunner(shards: folder, options: Fixtures.options)
            #expect(try await runner.embedding(Self.tokens).map(\.bitPattern) == expected.map(\.bitPattern))
            await #expect(throws: ShardKitError.self) { try await runner.embedding([]) }
            await #expect(throws: ShardKitError.self) { try await runner.embedding([-1]) }
        }
    }

    @Test("a row holds what its best token says")
    func rows() async throws {
        let runner = try await ShardedModelRunner(shards: Fixtures.tiny, options: Fixtures.options)
        let logits = try await runner(Self.tokens)
        #expect(logits.vocabularySize == runner.info.vocabularySize)
        for token in Self.tokens.indices {
            let row = Array(logits[token])
            #expect(row.count == logits.vocabularySize)
            #expect(row[Int(logits.best(after: token))] == row.max())
        }
    }

    @Test("the trained model completes a text, twice the same")
    func generate() async throws {
        let runner = try await ShardedModelRunner(shards: Fixtures.demo, options: Fixtures.options)
        let text = runner.generate(prompt: "12 plus 7 is", options: GenerationOptions(maxTokens: 20))
        for _ in 0..<2 {
            var answer = ""
            for try await piece in text { answer += piece }
            #expect(answer == " 19.")
        }
        var stopped = ""
        for try await piece in runner.generate(prompt: "12 plus 7 is", options: GenerationOptions(stops: ["9"])) {
            stopped += piece
        }
        #expect(stopped == " 1")
    }

    @Test("a generation goes on when its runner has gone")
    func orphan() async throws {
        let options = GenerationOptions(maxTokens: 20)
        let text = try await ShardedModelRunner(shards: Fixtures.demo, options: Fixtures.options)
            .generate(prompt: "12 plus 7 is", options: options)
        var answer = ""
        for try await piece in text { answer += piece }
        #expect(answer == " 19.")
    }

    @Test("generations that are left early make room for others")
    func leaving() async throws {
        let runner = try await ShardedModelRunner(shards: Fixtures.tiny, options: Fixtures.options)
        for _ in 0..<3 {
            for try await _ in runner.generate(prompt: "a", options: GenerationOptions(ignoresEnd: true)) { break }
        }
        _ = try await runner(Self.tokens)
    }

    @Test("a shard that is not loaded is an error that names it, and comes back with the same bits")
    func loading() async throws {
        try await Fixtures.withFolder { folder in
            try await splitModel(at: Fixtures.tiny, shards: 2, into: folder)
            let runner = try await ShardedModelRunner(shards: folder, options: Fixtures.options)
            let expected = try await runner(Self.tokens)
            try await runner.unloadShard(1)
            #expect(runner.info.shards.map(\.isLoaded) == [true, false])
            let error = await #expect(throws: ShardKitError.self) { try await runner(Self.tokens) }
            #expect(error?.message.contains("shard 1") == true)
            await #expect(throws: ShardKitError.self) {
                for try await _ in runner.generate(prompt: "a") {}
            }
            try await runner.loadShard(1)
            try await runner.loadShard(0)
            let states = runner.info.shards.map(\.isLoaded)
            #expect(states == [true, true])
            #expect(try await runner(Self.tokens) == expected)
            await #expect(throws: ShardKitError.self) { try await runner.unloadShard(2) }
            await #expect(throws: ShardKitError.self) { try await runner.loadShard(-1) }
        }
    }

    @Test("info and summary say what runs where")
    func info() async throws {
        try await Fixtures.withFolder { folder in
            try await splitModel(at: Fixtures.tiny, shards: 2, into: folder)
            let runner = try await ShardedModelRunner(shards: folder, options: Fixtures.options)
            let info = runner.info
            #expect(info.mode == "simple" && info.contextLength == 64 && info.architecture == "llama")
            #expect(info.shards.map(\.hasHead) == [false, true])
            #expect(info.shards.allSatisfy { $0.device == "cpu" && $0.weightBytes > 0 })
            #expect(info.shards.last?.layers.upperBound == info.layerCount)
            #expect(runner.summary().split(separator: "\n").count == 4)
            #expect(runner.summary().contains("shard 1: "))
        }
    }

    @Test("a benchmark has as many times as runs, and its mean and median lie between the extremes")
    func benchmark() async throws {
        let runner = try await ShardedModelRunner(shards: Fixtures.tiny, options: Fixtures.options)
        let result = try await runner.benchmark(runs: 3)
        #expect(result.times.count == 3)
        #expect(result.min <= result.mean && result.mean <= result.max && result.tokensPerSecond > 0)
        #expect(result.min <= result.median && result.median <= result.max)
        await #expect(throws: ShardKitError.self) { try await runner.benchmark(runs: 0) }
    }

    @Test(
        "tokens that cannot be are refused",
        arguments: [[], [-1], [Int32.max], Array(repeating: 1, count: 65)] as [[Int32]])
    func wrongTokens(tokens: [Int32]) async throws {
        let runner = try await ShardedModelRunner(shards: Fixtures.tiny, options: Fixtures.options)
        await #expect(throws: ShardKitError.self) { try await runner(tokens) }
    }

    @Test(
        "what cannot run yet, and what makes no sense, is refused by name",
        arguments: [
            (RunnerMode.simple, "cuda:0", RunnerOptions(), "cuda:0"), (.simple, "gpu", RunnerOptions(), "gpu"),
            (.simple, "cpu", RunnerOptions(threads: 0), "threads"),
            (.simple, "cpu", RunnerOptions(contextLength: -1), "contextLength"),
            (.simple, "cpu", RunnerOptions(sequencesMax: 0), "sequencesMax"),
        ])
    func refused(mode: RunnerMode, device: String, options: RunnerOptions, name: String) async {
        let error = await #expect(throws: ShardKitError.self) {
            try await ShardedModelRunner(shards: Fixtures.tiny, mode: mode, device: device, options: options)
        }
        #expect(error?.code == .request && error?.message.contains(name) == true)
    }

    @Test("generation options out of range are refused by name")
    func wrongGeneration() async throws {
        let runner = try await ShardedModelRunner(shards: Fixtures.tiny, options: Fixtures.options)
        for options in [
            GenerationOptions(maxTokens: 0), GenerationOptions(temperature: -1), GenerationOptions(temperature: .nan),
            GenerationOptions(topK: -1), GenerationOptions(topP: 2), GenerationOptions(minP: -0.5),
            GenerationOptions(repetitionPenalty: 0),
        ] {
            let error = await #expect(throws: ShardKitError.self) {
                for try await _ in runner.generate(prompt: "a", options: options) {}
            }
            #expect(error?.message.hasPrefix("options: ") == true)
        }
    }

    @Test("a prompt that does not fit is refused with both numbers")
    func longPrompt() async throws {
        let runner = try await ShardedModelRunner(shards: Fixtures.demo, options: Fixtures.options)
        let error = await #expect(throws: ShardKitError.self) {
            for try await _ in runner.generate(prompt: String(repeating: "12 plus 7 is ", count: 30)) {}
        }
        #expect(error?.code == .doesNotFit && error?.message.contains("64") == true)
    }
}
