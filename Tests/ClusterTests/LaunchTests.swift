import Foundation
import Subprocess
import Synchronization
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The program `shard-coordinator`, as a person runs it.
@Suite("shard-coordinator", .serialized, .timeLimit(.minutes(5)))
struct LaunchTests {
    /// Ports are taken by the system, so that tests can run side by side.
    private func configuration(http: String = "127.0.0.1:*", bind: String = "tcp://127.0.0.1:*", more: String = "")
        -> String
    {
        """
        version: 1
        model: {name: demo, source: "\(Paths.demoFolder.path)/demo-q8_0.gguf", context: 256}
        coordinator: {bind: "\(bind)", http: "\(http)"}
        placement: {reserve: 64MiB}
        workers:
          - {name: a, device: cpu, threads: 1}
          - {name: b, device: cpu, threads: 1}
        \(more)
        """
    }

    /// What a launch said until it was ready.
    private struct Launched {
        var address = ""
        var processIDs: [Int32] = []

        mutating func read(_ line: String) {
            if let range = line.range(of: "ready: http://") { address = String(line[range.upperBound...]) }
            if line.contains("worker "), let range = line.range(of: ", process "),
                let id = Int32(line[range.upperBound...])
            {
                processIDs.append(id)
            }
        }
    }

    /// Runs a launch; `body` is called when it is ready, with what it said and its process.
    private func launch(
        _ configuration: String, in folder: URL, _ body: @escaping @Sendable (Launched, pid_t) async throws -> Void
    ) async throws -> (status: TerminationStatus, launched: Launched) {
        let file = folder.appending(path: "cluster.yaml")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        let program = try Paths.program("shard-coordinator").path
        let result = try await Subprocess.run(
            .path(.init(program)), arguments: ["launch", "--config", file.path], input: .none, output: .discarded,
            error: .sequence
        ) { execution in
            var launched = Launched()
            var isReady = false
            for try await line in execution.standardError.strings() {
                launched.read(line)
                guard !launched.address.isEmpty, !isReady else { continue }
                isReady = true
                try await body(launched, execution.processIdentifier.value)
            }
            return launched
        }
        return (result.terminationStatus, result.closureResult)
    }

    @Test("SIGTERM ends it and its workers, and leaves no process and no file behind", arguments: [SIGTERM, SIGINT])
    func stops(signal: Int32) async throws {
        try await Paths.withFolder { folder in
            let (status, launched) = try await launch(configuration(), in: folder) { launched, process in
                #expect(launched.processIDs.count == 2)
                let url = URL(string: "http://\(launched.address)/v1/models")!
                let (body, _) = try await URLSession.shared.data(from: url)
                #expect(String(decoding: body, as: UTF8.self).contains("demo"))
                kill(process, signal)
            }
            #expect(status == .exited(0))
            #expect(!launched.processIDs.contains(where: Paths.isRunning))
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(files == ["cluster.yaml"])
        }
    }

    @Test("workers do not outlive a launcher that was killed")
    func killed() async throws {
        try await Paths.withFolder { folder in
            let (status, launched) = try await launch(configuration(), in: folder) { _, process in
                kill(process, SIGKILL)
            }
            #expect(status == .signaled(SIGKILL))
            #expect(launched.processIDs.count == 2)
            #expect(await Paths.waitForEnd(of: launched.processIDs))
        }
    }

    /// Runs a subcommand to its end.
    private func run(_ arguments: [String]) async throws -> (status: TerminationStatus, output: String, error: String) {
        let program = try Paths.program("shard-coordinator").path
        let result = try await Subprocess.run(
            .path(.init(program)), arguments: Arguments(arguments), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        return (result.terminationStatus, result.standardOutput, result.standardError)
    }

    @Test("plan prints who would compute what, for people and for scripts, and leaves no process")
    func plan() async throws {
        try await Paths.withFolder { folder in
            let file = folder.appending(path: "cluster.yaml")
            try configuration().write(to: file, atomically: true, encoding: .utf8)
            let text = try await run(["plan", "--config", file.path, "--quiet"])
            #expect(text.status == .exited(0))
            #expect(text.output.contains("4-7 + head"))
            #expect(text.output.contains("predicted: "))
            let json = try await run(["plan", "--config", file.path, "--json"])
            let plan = try #require(
                JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect((plan["stages"] as? [Any])?.count == 2)
            #expect((plan["workers"] as? [Any])?.count == 2)
        }
    }

    @Test(
        "what is wrong is said on one line, with the exit code for it",
        arguments: [
            (["workers: []"], 2, "cluster.yaml:"),
            (["failure: {heartbeat: soon}"], 2, "failure.heartbeat"),
        ])
    func wrongConfiguration(more: [String], code: Int32, reason: String) async throws {
        try await Paths.withFolder { folder in
            let file = folder.appending(path: "cluster.yaml")
            try configuration(more: more.joined()).write(to: file, atomically: true, encoding: .utf8)
            for command in ["check", "plan", "launch"] {
                let result = try await run([command, "--config", file.path])
                #expect(result.status == .exited(code))
                #expect(result.error.contains(reason))
            }
        }
    }

    @Test("a model that is not there, and one that does not fit, exit with 2 and the numbers")
    func doesNotFit() async throws {
        try await Paths.withFolder { folder in
            let file = folder.appending(path: "cluster.yaml")
            let missing = configuration().replacing("demo-q8_0", with: "nowhere")
            try missing.write(to: file, atomically: true, encoding: .utf8)
            var result = try await run(["launch", "--config", file.path])
            #expect(result.status == .exited(2))
            #expect(result.error.contains("nowhere.gguf"))
            let small = configuration().replacing("threads: 1", with: "threads: 1, memory: 3MiB")
            try small.write(to: file, atomically: true, encoding: .utf8)
            result = try await run(["launch", "--config", file.path])
            #expect(result.status == .exited(2))
            #expect(result.error.contains("does not fit: needs"))
        }
    }

    @Test("ports in use give an error that names them")
    func portsInUse() async throws {
        try await Paths.withFolder { folder in
            let other = folder.appending(path: "other")
            try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
            let (status, _) = try await launch(configuration(), in: folder) { launched, process in
                let file = other.appending(path: "cluster.yaml")
                try configuration(http: launched.address).write(to: file, atomically: true, encoding: .utf8)
                let result = try await run(["launch", "--config", file.path])
                #expect(result.status == .exited(1))
                #expect(result.error.contains(launched.address))
                #expect(result.error.contains("in use"))
                kill(process, SIGTERM)
            }
            #expect(status == .exited(0))
        }
    }
}
