import Foundation
import ShardKit
import Testing

@Suite("A runner within a budget of memory")
struct MemoryEfficientTests {
    /// Of the test program itself, which holds other tests' models too, and a little for the model: what stays and what is
    /// read depends on it, the logits do not.
    private func smallestBudget(_ shards: URL) async throws -> Int {
        let error = await #expect(throws: ShardKitError.self) {
            _ = try await ShardedModelRunner(
                shards: shards, mode: .memoryEfficient(budget: 1), options: Fixtures.options)
        }
        let message = try #require(error?.message)
        #expect(error?.code == .doesNotFit && message.contains("cache"), "\(message)")
        let number = try #require(message.firstMatch(of: /at least ([0-9.]+) ([KMG]iB)/))
        let unit = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30][String(number.2)] ?? 1
        return Int((try #require(Double(number.1))) * Double(unit))
    }

    @Test("logits are those of simple mode, bit for bit, also when shards are loaded and unloaded")
    func logits() async throws {
        try await Fixtures.withFolder { folder in
            let shards = folder.appending(path: "shards")
            _ = try await splitModel(at: Fixtures.demo, shards: 2, into: shards)
            let tokens: [Int32] = [1, 2, 3, 4, 5]
            let simple = try await ShardedModelRunner(shards: shards, options: Fixtures.options)
            let expected = try await simple(tokens)
            // Tests run side by side in one process: what it holds changes.
            let budget = try await smallestBudget(shards) + (256 << 20)
            let runner = try await ShardedModelRunner(
                shards: shards, mode: .memoryEfficient(budget: budget), options: Fixtures.options)
            #expect(try await runner(tokens) == expected)
            try await runner.unloadShard(0)
            try await runner.unloadShard(1)
            #expect(runner.info.shards.allSatisfy { $0.residentBytes == 0 && !$0.isLoaded })
            #expect(runner.info.streaming?.pinnedBytes == 0)
            #expect(try await runner(tokens) == expected)
            let read = try await runner.refreshInfo().streaming?.readBytes ?? 0
            #expect(read >= runner.info.shards.reduce(0) { $0 + $1.weightBytes } * 9 / 10)
            try await runner.loadShard(1)
            #expect(runner.info.shards.map(\.isLoaded) == [false, true])
            #expect(runner.info.shards[1].residentBytes > 0 && runner.info.shards[0].residentBytes == 0)
            #expect(try await runner(tokens) == expected)
            #expect(runner.summary().contains("are read for each token"))
            await #expect(throws: ShardKitError.self) { try await runner.loadShard(2) }
        }
    }
}
