import Foundation
import ShardKit
import Sharding
import Subprocess
import Testing

@testable import Coordinator

/// A cluster that is compared with one process.
@Suite("Verification", .serialized, .timeLimit(.minutes(5)))
struct VerificationTests {
    private static let work = VerificationWork(
        text: [], vocabularySize: 1280, contextLength: 512, lengthMax: 150, rowsMax: 256)

    private func alone(_ file: String) -> OneProcess {
        OneProcess(
            path: Paths.demoFolder.appending(path: file).path, cacheType: .f32, positionsMax: Self.work.positionsMax)
    }

    private func reference(_ alone: OneProcess) async throws -> VerificationReference {
        try await alone.with { engine, setting in
            try await VerificationReference(of: Self.work, by: engine, rowsMax: setting.rowsMax)
        }
    }

    private var options: ClusterOptions {
        var options = RunningCluster.options(workers: RunningCluster.workers(["a", "b"]))
        options.policy = .roundRobin
        return options
    }

    /// What one process computes of a file of the demo model, and a cluster of another one.
    private func checks(alone file: String) async throws -> [VerificationCheck] {
        let alone = alone(file)
        let reference = try await reference(alone)
        var checks: [VerificationCheck] = []
        try await RunningCluster.with(Paths.demo, options) { cluster in
            let verification = ClusterVerification(work: Self.work, reference: reference, engine: cluster.engine)
            for subject in verification.subjects { checks.append(try await verification.check(subject)) }
        }
        return try await alone.explain(checks, of: Self.work)
    }

    @Test("two workers are equal to one process in every check")
    func equal() async throws {
        let checks = try await checks(alone: "demo-f16.gguf")
        #expect(checks.count == 15)
        #expect(checks.filter { $0.difference != nil }.map(\.name) == [])
        #expect(checks.allSatisfy { $0.valueCount > 0 })
    }

    @Test("where one process has other weights every check says where they part, and by how much")
    func different() async throws {
        for check in try await checks(alone: "demo-q8_0.gguf") {
            let difference = try #require(check.difference, "\(check.name)")
            switch check.subject {
            case .logits(let sequence, _):
                #expect(difference.sequence == sequence && difference.position == 0)
                #expect(difference.positionCount == Self.work.sequences[sequence].tokens.count)
                let values = try #require(difference.values)
                #expect(values.count == 1280 && values.differing > 1000)
                #expect(values.largest > 0 && values.largest < 5)
            case .answers:
                #expect(difference.detail?.contains("expected token") == true)
            case .embedding:
                #expect((difference.values?.differing ?? 0) > 200)
            }
        }
    }

    @Test("each worker is left out in turn, and the others compute the whole model")
    func suspects() async throws {
        let model = try await OwnThread.run { _ in try OpenedModel(path: Paths.demo.path, hashes: .byLoader) }
        for (file, finding) in [("demo-f16.gguf", SuspectSearch.Trial.Finding.equal), ("demo-q8_0.gguf", .different)] {
            let search = try #require(
                SuspectSearch(
                    model, options: options, work: Self.work, reference: try await reference(alone(file)),
                    logger: RunningCluster.logger))
            let session = try await WorkerSession.start(model, cluster: options, logger: RunningCluster.logger)
            let plan = try #require(await session.plan)
            await session.stop()
            var leftOut: [String] = []
            let trials = await search.run(.logits(sequence: 1, chunk: 7), plan: plan) { leftOut.append($0) }
            #expect(leftOut == ["a", "b"])
            #expect(
                trials == [
                    SuspectSearch.Trial(worker: "a", units: "0-3", finding: finding),
                    SuspectSearch.Trial(worker: "b", units: "4-7 + head", finding: finding),
                ])
        }
        var external = options
        external.workers[1].start = .external
        #expect(
            SuspectSearch(
                model, options: external, work: Self.work, reference: try await reference(alone("demo-f16.gguf")),
                logger: RunningCluster.logger) == nil)
    }

    // MARK: The program

    private func verify(_ options: [String], more: String = "") async throws -> (TerminationStatus, String, String) {
        try await Paths.withFolder { folder in
            let file = folder.appending(path: "cluster.yaml")
            let configuration = """
                version: 1
                model: {name: demo, source: "\(Paths.demoFolder.path)/demo-q8_0.gguf", context: 256}
                coordinator: {bind: "tcp://127.0.0.1:*", http: "127.0.0.1:*"}
                placement: {reserve: 64MiB, policy: round_robin}
                workers:
                  - {name: a, device: cpu, threads: 1}
                  - {name: b, device: cpu, threads: 1}
                \(more)
                """
            try configuration.write(to: file, atomically: true, encoding: .utf8)
            let result = try await Subprocess.run(
                .path(.init(try Paths.program("shard-coordinator").path)),
                arguments: Arguments(["verify", "--config", file.path] + options), input: .none,
                output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
            return (result.terminationStatus, result.standardOutput, result.standardError)
        }
    }

    @Test("the program says of each check that it is equal, and exits with 0")
    func program() async throws {
        let (status, output, errors) = try await verify(["--length", "60"])
        #expect(status == .exited(0), "\(errors)")
        let lines = output.split(separator: "\n").map(String.init)
        #expect(lines.first?.hasPrefix("alone: one process on this machine, ") == true)
        #expect(lines.dropFirst().first == "cluster: a with 0-3, b with 4-7 + head")
        #expect(lines.count { $0.hasPrefix("equal      ") } == lines.count - 3)
        #expect(lines.last?.hasPrefix("all \(lines.count - 3) checks are equal: ") == true)
    }

    private struct Report: Decodable {
        struct Alone: Decodable {
            var budget_bytes: Int?
        }
        struct Check: Decodable {
            var name: String
            var equal: Bool
            var values: Int
        }

        var equal: Bool
        var alone: Alone
        var checks: [Check]
    }

    @Test("its reference may read weights from disk; with --json it prints one object")
    func budget() async throws {
        let (status, output, errors) = try await verify(["--length", "20", "--memory-budget", "512MiB", "--json"])
        #expect(status == .exited(0), "\(errors)")
        let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
        #expect(report.equal && report.alone.budget_bytes == 512 << 20)
        #expect(report.checks.count > 5 && report.checks.allSatisfy { $0.equal && $0.values > 0 })
    }

    @Test("a budget that is too small, and a wrong configuration, exit with 2 before a worker is started")
    func refusals() async throws {
        let (small, _, smallErrors) = try await verify(["--memory-budget", "1MiB"])
        #expect(small == .exited(2) && smallErrors.contains("give at least"), "\(smallErrors)")
        let (wrong, _, wrongErrors) = try await verify([], more: "nonsense: 1")
        #expect(wrong == .exited(2) && wrongErrors.contains("nonsense"), "\(wrongErrors)")
    }
}
