import Foundation
import Testing

@Suite("shard bench")
struct BenchCommandTests {
    private struct Report: Decodable {
        struct Machine: Decodable { var cpu: String, cores: Int, kernels: String, os: String }
        struct Limit: Decodable { var threads: Int }
        struct Spread: Decodable { var median: Double, low: Double, high: Double, samples: [Double] }
        struct Result: Decodable {
            var model: String, bytes: Int, mode: String, threads: Int, test: String
            var prompt: Int, generate: Int, depth: Int, sequences: Int
            var tokens_per_second: Spread, share: Double, limit: String, bytes_per_token: Double, peak_bytes: Int
        }
        var version: Int, machine: Machine, limits: [Limit], results: [Result]
    }

    private let quick = ["--limits", "quick", "--repetitions", "1", "--warm-up", "0", "--threads", "1"]

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shard-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test("--json - prints one object with the machine, its limits and a result for each test")
    func json() async throws {
        let output = try await BuiltProgram.shard.run(
            ["bench", WrongUse.demo, "--prompt", "8", "--generate", "4", "--depth", "0,16", "--json", "-"] + quick)
        #expect(output.exitCode == 0, "\(output.stderr)")
        let report = try JSONDecoder().decode(Report.self, from: Data(output.stdout.utf8))
        #expect(report.version == 1)
        #expect(report.machine.cores >= 1 && !report.machine.kernels.isEmpty && report.machine.os.hasPrefix("Linux"))
        #expect(report.limits.map(\.threads) == [1])
        #expect(
            report.results.map(\.test) == [
                "prompt 8", "prompt 8 at depth 16", "generate 4", "generate 4 at depth 16",
            ])
        for result in report.results {
            #expect(result.model == "demo-q8_0.gguf" && result.bytes > 5_000_000)
            #expect(result.mode == "simple" && result.threads == 1 && result.sequences == 1)
            #expect(result.tokens_per_second.samples.count == 1 && result.tokens_per_second.low > 0)
            #expect(result.share > 0 && ["read", "integer"].contains(result.limit))
            #expect(result.bytes_per_token > 100_000 && result.peak_bytes > 5_000_000)
        }
    }

    @Test("files are written, and one is compared with another without measuring")
    func files() async throws {
        try await withFolder { folder in
            let (json, csv) = (folder.appending(path: "old.json").path, folder.appending(path: "x.csv").path)
            let plot = folder.appending(path: "x.svg").path
            let first = try await BuiltProgram.shard.run(
                ["bench", WrongUse.demo, "--prompt", "0", "--generate", "2", "--sequences", "1,2", "--json", json]
                    + ["--csv", csv, "--plot", plot] + quick)
            #expect(first.exitCode == 0, "\(first.stderr)")
            #expect(first.stdout.contains("generate 2, 2 sequences") && first.stdout.contains("integer"))
            #expect(try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n").count == 3)
            #expect(try String(contentsOfFile: plot, encoding: .utf8).hasPrefix("<svg"))
            let second = try await BuiltProgram.shard.run(["bench", "--from", json, "--against", json])
            #expect(second.exitCode == 0, "\(second.stderr)")
            #expect(second.stdout.contains("1.00"))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(Set(names) == ["old.json", "x.csv", "x.svg"])
        }
    }

    @Test("without a model, the machine's limits alone")
    func limitsAlone() async throws {
        let output = try await BuiltProgram.shard.run(["bench"] + quick)
        #expect(output.exitCode == 0, "\(output.stderr)")
        #expect(output.stdout.contains("read") && output.stdout.contains("float"))
    }

    @Test("modes stand side by side")
    func modes() async throws {
        let output = try await BuiltProgram.shard.run(
            ["bench", WrongUse.demo, "--mode", "simple,distributed", "--threads", "2", "--prompt", "8"]
                + ["--generate", "4", "--limits", "off", "--repetitions", "1", "--warm-up", "0"])
        #expect(output.exitCode == 0, "\(output.stderr)")
        let lines = output.stdout.split(separator: "\n")
        #expect(lines.count { $0.contains("simple") } == 2 && lines.count { $0.contains("distributed") } == 2)
    }
}
