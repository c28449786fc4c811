import Foundation
import ShardKit
import Testing

@Suite("A model over worker processes", .serialized)
struct DistributedShardRunnerTests {
    private static let tokens: [Int32] = [1, 5, 9, 2, 7, 30, 11]

    @Test("logits over two workers are those of one process, bit for bit, and no process stays")
    func logits() async throws {
        let alone = try await ShardedModelRunner(shards: Fixtures.tiny, options: Fixtures.options)
        let expected = try await alone(Self.tokens)
        try await Fixtures.withFolder { folder in
            try await splitModel(at: Fixtures.tiny, shards: 2, into: folder)
            let runner = try await DistributedShardRunner(
                shards: folder, devices: ["cpu", "cpu"], options: Fixtures.options)
            let info = runner.info
            let processIDs = info.shards.compactMap(\.processID)
            #expect(info.mode == "distributed" && Set(processIDs).count == 2)
            #expect(runner.summary().contains("in process \(processIDs[0])"))
            let logits = try await runner(Self.tokens)
            #expect(logits.values.map(\.bitPattern) == expected.values.map(\.bitPattern))
            let result = try await runner.benchmark(runs: 2)
            #expect(result.times.count == 2)
            await runner.stop()
            #expect(processIDs.allSatisfy { kill($0, 0) != 0 })
        }
    }

    @Test("a model that was not split is dealt to the workers, and completes a text")
    func generate() async throws {
        let runner = try await DistributedShardRunner(
            shards: Fixtures.demo, devices: ["cpu", "cpu", "cpu"], options: Fixtures.options)
        var answer = ""
        for try await piece in runner.generate(prompt: "12 plus 7 is", options: GenerationOptions(maxTokens: 20)) {
            answer += piece
        }
        #expect(answer == " 19.")
        await runner.stop()
    }

    @Test("a worker program that is not there is an error that names it")
    func noProgram() async {
        let missing = URL(filePath: "/nonexistent/shard-worker")
        let error = await #expect(throws: ShardKitError.self) {
            try await DistributedShardRunner(
                shards: Fixtures.tiny, devices: ["cpu"], options: Fixtures.options, worker: missing)
        }
        #expect(error?.message.contains(missing.path) == true)
    }

    @Test(
        "devices that cannot be are refused by name",
        arguments: [([], "devices"), (["cpu", "cuda:0"], "cuda:0"), (["tpu"], "tpu")])
    func devices(devices: [String], name: String) async {
        let error = await #expect(throws: ShardKitError.self) {
            try await DistributedShardRunner(shards: Fixtures.tiny, devices: devices)
        }
        #expect(error?.message.contains(name) == true)
    }
}
