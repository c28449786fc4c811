import Foundation
import Subprocess
import Testing

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

@Suite("shard run within a memory budget")
struct MemoryBudgetTests {
    private struct Report: Decodable {
        struct Timings: Decodable {
            struct Streaming: Decodable {
                var budget_bytes: Int, peak_bytes: Int, pinned_bytes: Int, streamed_bytes: Int, read_bytes: Int
                var waited_share: Double
            }
            var memory_efficient: Streaming?
        }
        var token_ids: [Int], timings: Timings
    }

    private struct Plan: Decodable {
        var budget_bytes: Int, smallest_budget_bytes: Int, program_bytes: Int, cache_bytes: Int, scratch_bytes: Int
        var pinned_bytes: Int, streamed_bytes: Int, ring_bytes: Int, norm_bytes: Int, rest_bytes: Int
    }

    private let arguments = [
        "run", WrongUse.demo, "--tokens", "1,2,3,4,5,6,7", "--max-tokens", "12", "--temperature", "0",
    ]

    private func budgeted(_ bytes: Int) -> [String] {
        arguments + ["--json", "--mode", "memory-efficient", "--memory-budget", "\(bytes)"]
    }

    private func plan(_ bytes: Int) async throws -> Plan {
        let output = try await BuiltProgram.shard.run(budgeted(bytes) + ["--plan"])
        #expect(output.exitCode == 0, "\(output.stderr)")
        return try JSONDecoder().decode(Plan.self, from: Data(output.stdout.utf8))
    }

    /// Of which some weights stay and some do not.
    private func tightBudget() async throws -> Int { try await plan(1 << 30).smallest_budget_bytes + (3 << 20) }

    /// What the system caches of the program, which counts, changes while other tests run it.
    private func tightPlan() async throws -> Plan {
        for _ in 0..<10 {
            let plan = try await plan(try await tightBudget())
            if plan.pinned_bytes > 0, plan.streamed_bytes > 0 { return plan }
        }
        return try await plan(try await tightBudget())
    }

    @Test("the plan's parts are the budget")
    func parts() async throws {
        let plan = try await tightPlan()
        let sum =
            plan.program_bytes + plan.cache_bytes + plan.scratch_bytes + plan.pinned_bytes + plan.ring_bytes
            + plan.norm_bytes + plan.rest_bytes
        #expect(sum == plan.budget_bytes)
        #expect(plan.rest_bytes > 0 && plan.pinned_bytes > 0 && plan.streamed_bytes > 0)
    }

    @Test("a tight budget is kept by the process's own count, and the tokens are those of simple mode")
    func ownCount() async throws {
        let simple = try await BuiltProgram.shard.run(arguments + ["--json"])
        let budget = try await tightBudget()
        let output = try await BuiltProgram.shard.run(budgeted(budget))
        #expect(output.exitCode == 0, "\(output.stderr)")
        let decoder = JSONDecoder()
        let expected = try decoder.decode(Report.self, from: Data(simple.stdout.utf8))
        let got = try decoder.decode(Report.self, from: Data(output.stdout.utf8))
        #expect(got.token_ids == expected.token_ids && expected.timings.memory_efficient == nil)
        let streaming = try #require(got.timings.memory_efficient)
        #expect(streaming.budget_bytes == budget)
        #expect(streaming.peak_bytes <= budget)
        // The prompt, and each token but the last, need all that does not stay.
        #expect(streaming.streamed_bytes > 0 && got.token_ids.count > 2)
        #expect(streaming.read_bytes >= got.token_ids.count * streaming.streamed_bytes)
        #expect((0...1).contains(streaming.waited_share))
    }

    /// Where this process may make control groups that count memory; nil elsewhere.
    private static let groups: (folder: String, peak: String)? = {
        for (folder, peak) in [
            ("/sys/fs/cgroup/memory", "memory.max_usage_in_bytes"), ("/sys/fs/cgroup", "memory.peak"),
        ] {
            let path = "\(folder)/shard-test-\(UUID().uuidString)"
            guard mkdir(path, 0o755) == 0 else { continue }
            defer { rmdir(path) }
            if access("\(path)/\(peak)", R_OK) == 0 { return (folder, peak) }
        }
        return nil
    }()

    @Test("a control group never counts more than the budget", .enabled(if: groups != nil))
    func controlGroup() async throws {
        let groups = try #require(Self.groups)
        let path = "\(groups.folder)/shard-test-\(UUID().uuidString)"
        #expect(mkdir(path, 0o755) == 0)
        defer { rmdir(path) }
        let budget = try await tightBudget()
        let program = BuiltProgram.folder.appending(path: "shard").path
        // The group holds the program from its first page on.
        let result = try await Subprocess.run(
            .path("/bin/sh"),
            arguments: Arguments(
                ["-c", "echo $$ > \(path)/cgroup.procs && exec \"$@\"", "sh", program] + budgeted(budget)),
            workingDirectory: FilePath(BuiltProgram.root.path), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
        let peak = try String(contentsOfFile: "\(path)/\(groups.peak)", encoding: .utf8)
        let bytes = try #require(Int(peak.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(bytes <= budget, "\(bytes) of \(budget)")
        #expect(bytes > 1 << 20)
    }
}
