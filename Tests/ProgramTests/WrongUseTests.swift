import Foundation
import Testing

/// A call that must fail, with what its error must say.
struct WrongUse: Sendable, CustomTestStringConvertible {
    var program: BuiltProgram
    var arguments: [String]
    var exitCode: Int32
    var says: [String]
    var environment: [String: String] = [:]
    /// Written to `cluster.yaml` in a folder of its own; `@config` in the arguments stands for its path.
    var configuration: String?

    var testDescription: String { ([program.rawValue] + arguments).joined(separator: " ") }

    static let demo = "Models/demo/demo-q8_0.gguf"
}

@Suite("Wrong use of the programs")
struct WrongUseTests {
    static let ofShard: [WrongUse] = [
        WrongUse(program: .shard, arguments: ["frobnicate"], exitCode: 64, says: ["frobnicate", "Usage"]),
        WrongUse(
            program: .shard, arguments: ["run", "no/such/model.gguf", "-p", "x"], exitCode: 1,
            says: ["no/such/model.gguf"]),
        WrongUse(program: .shard, arguments: ["run", WrongUse.demo], exitCode: 64, says: ["--prompt", "--tokens"]),
        WrongUse(
            program: .shard,
            arguments: ["run", WrongUse.demo, "-p", "x", "--mode", "memory-efficient", "--memory-budget", "3MiB"],
            exitCode: 2, says: ["demo-q8_0.gguf", "cache 1.0 MiB", "got 3.0 MiB", "give at least"]),
        WrongUse(
            program: .shard, arguments: ["run", WrongUse.demo, "-p", "x", "--memory-budget", "2GiB"], exitCode: 64,
            says: ["--memory-budget", "--mode memory-efficient"]),
        WrongUse(
            program: .shard,
            arguments: ["run", WrongUse.demo, "-p", "x", "--mode", "memory-efficient", "--memory-budget", "2 apples"],
            exitCode: 64, says: ["--memory-budget", "2 apples"]),
        WrongUse(
            program: .shard,
            arguments: ["run", WrongUse.demo, "-p", "x", "--mode", "memory-efficient", "--workers", "2"], exitCode: 64,
            says: ["memory-efficient", "--workers"]),
        WrongUse(
            program: .shard, arguments: ["run", WrongUse.demo, "--plan"], exitCode: 64,
            says: ["--plan", "--mode memory-efficient"]),
        WrongUse(
            program: .shard, arguments: ["run", WrongUse.demo, "-p", "x", "--device", "cuda:0"], exitCode: 2,
            says: ["cuda:0", "CUDA cannot compute yet", "--device cpu"]),
        WrongUse(
            program: .shard, arguments: ["run", WrongUse.demo, "-p", "a b c d e f", "--context", "4"], exitCode: 2,
            says: ["4"]),
        WrongUse(
            program: .shard, arguments: ["run", WrongUse.demo, "-p", "x", "--top-p", "2"], exitCode: 64,
            says: ["--top-p", "2"]),
        WrongUse(
            program: .shard, arguments: ["run", WrongUse.demo, "-p", "x"], exitCode: 2,
            says: ["SHARD_CPU", "sse9", "scalar"], environment: ["SHARD_CPU": "sse9"]),
        WrongUse(
            program: .shard, arguments: ["chat", WrongUse.demo, "-p", "x", "--chat-template", "nonsense"],
            exitCode: 2, says: ["nonsense", "chatml"]),
        WrongUse(
            program: .shard, arguments: ["logits", WrongUse.demo, "--tokens", "1,x", "-o", "/dev/null"], exitCode: 64,
            says: ["1,x"]),
        WrongUse(
            program: .shard, arguments: ["logits", WrongUse.demo, "--tokens", "9999", "-o", "/tmp/none"], exitCode: 2,
            says: ["1280", "9999"]),
        WrongUse(
            program: .shard, arguments: ["split", WrongUse.demo, "--shards", "0", "-o", "/tmp/none"], exitCode: 64,
            says: ["--shards", "0"]),
        WrongUse(program: .shard, arguments: ["info", "README.md"], exitCode: 1, says: ["README.md"]),
        WrongUse(program: .shard, arguments: ["verify", "Models/demo"], exitCode: 1, says: ["manifest.json"]),
        WrongUse(
            program: .shard, arguments: ["assign", "--shards", "4", "--devices", "gpu"], exitCode: 64, says: ["gpu"]),
        WrongUse(program: .shard, arguments: ["cache", "frobnicate"], exitCode: 64, says: ["frobnicate"]),
        WrongUse(
            program: .shard, arguments: ["cache", "clear", "--older-than", "7x"], exitCode: 64,
            says: ["--older-than", "7x"]),
        WrongUse(
            program: .shard, arguments: ["cache", "list", "--cache", "no/such/folder"], exitCode: 2,
            says: ["no/such/folder", "nothing there"]),
        WrongUse(
            program: .shard, arguments: ["cache", "verify", "--cache", "README.md"], exitCode: 2,
            says: ["README.md", "a file"]),
        WrongUse(
            program: .shard, arguments: ["cache", "list"], exitCode: 2, says: ["$HOME", "--cache"],
            environment: ["XDG_CACHE_HOME": "", "HOME": ""]),
    ]

    static let ofBench: [WrongUse] =
        [
            ("--threads", "0", "1 to 1024"), ("--threads", "1,x", "1,x"), ("--prompt", "-1", "--prompt"),
            ("--depth", "1.5", "1.5"), ("--sequences", "257", "1 to 256"), ("--repetitions", "0", "--repetitions"),
            ("--mode", "fast", "fast"), ("--limits", "some", "some"), ("--kv-type", "q4_0", "q4_0"),
            ("--cpus", "1023", "1023"), ("--cpus", "1-0", "1-0"), ("--plot", "x.png", ".svg"),
            ("--from", "x.json", "--from"),
        ].map { option, value, says in
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "\(option)=\(value)"], exitCode: 64,
                says: [option, says])
        } + [
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "--prompt", "0", "--generate", "0"], exitCode: 64,
                says: ["--prompt", "--generate"]),
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "--json", "-", "--csv", "-"], exitCode: 64,
                says: ["--json", "--csv", "both"]),
            WrongUse(
                program: .shard,
                arguments: ["bench", WrongUse.demo, "--mode", "memory-efficient", "--memory-budget", "3MiB"],
                exitCode: 2, says: ["--mode memory-efficient", "got 3.0 MiB", "give at least"]),
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "--memory-budget", "1GiB"], exitCode: 64,
                says: ["--memory-budget", "--mode memory-efficient"]),
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "--mode", "distributed", "--threads", "1"],
                exitCode: 2,
                says: ["--mode distributed", "2 workers", "got 1"]),
            WrongUse(
                program: .shard, arguments: ["bench", "no/such/model.gguf"], exitCode: 2, says: ["no/such/model.gguf"]),
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "--depth", "8192"], exitCode: 2,
                says: ["demo-q8_0.gguf", "at depth 8192", "512", "8704"]),
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "--against", "README.md"], exitCode: 2,
                says: ["README.md", "shard bench"]),
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "--against", "no/such.json"], exitCode: 2,
                says: ["no/such.json"]),
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo, "--json", "no/such/folder/x.json"], exitCode: 1,
                says: ["no/such/folder/x.json"]),
            WrongUse(
                program: .shard, arguments: ["bench", WrongUse.demo], exitCode: 2,
                says: ["SHARD_CPU", "sse9", "scalar"],
                environment: ["SHARD_CPU": "sse9"]),
        ]

    static let ofBenchServe: [WrongUse] = {
        let values: [(option: String, value: String, says: String)] = [
            ("--streams", "0", "1 to 4096"), ("--rate", "0", "0.001"), ("--rate", "nan", "0.001"),
            ("--requests", "-1", "--requests"), ("--duration", "5", "5"), ("--duration", "0s", "0s"),
            ("--prompt-tokens", "5..4", "5..4"), ("--output-tokens", "lognormal:0,1", "lognormal:0,1"),
            ("--shared-prefix", "-1", "--shared-prefix"), ("--distinct", "0", "--distinct"),
            ("--warm-up", "-1", "--warm-up"), ("--temperature", "3", "0 to 2"), ("--token-ids", "9..3", "9..3"),
            ("--timeout", "soon", "soon"), ("--plot", "x.png", ".svg"), ("--streams=1", "--rate=3", "both"),
            ("--chat", "--text", "both"), ("--compare-texts", "--temperature=1", "--temperature 0"),
        ]
        let others: [(arguments: [String], exitCode: Int32, says: [String])] = [
            ([], 64, ["url"]), (["127.0.0.1:8080"], 2, ["127.0.0.1:8080", "http://"]),
            (["http://127.0.0.1:1"], 1, ["http://127.0.0.1:1", "refused"]),
            (["http://127.0.0.1:1", "--model", "m"], 1, ["http://127.0.0.1:1", "refused"]),
            (["http://127.0.0.1:1", "--api-key-file", "no/such"], 2, ["--api-key-file", "no/such"]),
            (["http://127.0.0.1:1", "--api-key-env", "NO_SUCH"], 2, ["--api-key-env", "NO_SUCH"]),
            (["http://127.0.0.1:1", "--api-key-file", "README.md"], 2, ["README.md", "one word"]),
            (["http://127.0.0.1:1", "--json", "no/such/x.json"], 1, ["no/such/x.json"]),
        ]
        return values.map { option, value, says in
            let given = value.hasPrefix("--") ? [option, value] : ["\(option)=\(value)"]
            let name = option.prefix { $0 != "=" }
            return WrongUse(
                program: .shard, arguments: ["bench", "serve", "http://127.0.0.1:1"] + given, exitCode: 64,
                says: [String(name), says])
        }
            + others.map { arguments, exitCode, says in
                WrongUse(
                    program: .shard, arguments: ["bench", "serve"] + arguments, exitCode: exitCode, says: says)
            }
    }()

    static let ofWorker: [WrongUse] = [
        WrongUse(program: .worker, arguments: [], exitCode: 64, says: ["--coordinator"]),
        WrongUse(
            program: .worker, arguments: ["--coordinator", "localhost"], exitCode: 2, says: ["localhost", "tcp://"]),
        WrongUse(
            program: .worker, arguments: ["--coordinator", "tcp://127.0.0.1:5999", "--device", "cuda:0"], exitCode: 2,
            says: ["cuda:0", "CUDA cannot compute yet"]),
        WrongUse(
            program: .worker,
            arguments: ["--coordinator", "tcp://127.0.0.1:5999", "--bind", "tcp://0.0.0.0:5600"], exitCode: 2,
            says: ["--bind", "0.0.0.0", "needs keys", "shard-worker keygen"]),
        WrongUse(
            program: .worker, arguments: ["--coordinator", "tcp://192.0.2.1:5999"], exitCode: 2,
            says: ["--coordinator", "192.0.2.1", "needs keys", "--coordinator-key"]),
        WrongUse(
            program: .worker, arguments: ["--coordinator", "tcp://127.0.0.1:5999", "--key", "x"], exitCode: 2,
            says: ["--coordinator-key", "expected it beside --key"]),
        WrongUse(
            program: .worker, arguments: ["--coordinator", "tcp://127.0.0.1:5999", "--threads", "0"], exitCode: 2,
            says: ["--threads", "0"]),
        WrongUse(
            program: .worker, arguments: ["--coordinator", "tcp://127.0.0.1:5999", "--models", "no/such"], exitCode: 2,
            says: ["--models", "no/such", "expected a folder"]),
        WrongUse(
            program: .worker, arguments: ["--coordinator", "tcp://127.0.0.1:5999", "--models", "README.md"],
            exitCode: 2, says: ["--models", "README.md", "expected a folder", "a file"]),
    ]

    static let ofCoordinator: [WrongUse] = [
        WrongUse(program: .coordinator, arguments: ["launch"], exitCode: 64, says: ["--config"]),
        WrongUse(
            program: .coordinator, arguments: ["check", "--config", "no/such.yaml"], exitCode: 2,
            says: ["no/such.yaml"]),
        WrongUse(
            program: .coordinator, arguments: ["check", "--config", "@config"], exitCode: 2,
            says: ["cluster.yaml:2:", "colour"],
            configuration: "version: 1\ncolour: red\nmodel: {source: x.gguf}\nworkers: [{name: a}]\n"),
        WrongUse(
            program: .coordinator, arguments: ["launch", "--config", "@config"], exitCode: 2,
            says: ["workers", "a"],
            configuration: "version: 1\nmodel: {source: x.gguf}\nworkers: [{name: a}, {name: a}]\n"),
        WrongUse(
            program: .coordinator, arguments: ["launch", "--config", "@config"], exitCode: 2,
            says: ["coordinator.bind", "0.0.0.0", "needs keys", "shard-coordinator keygen"],
            configuration:
                "version: 1\nmodel: {source: x.gguf}\ncoordinator: {bind: \"tcp://0.0.0.0:5555\"}\nworkers: [{name: a}]\n"
        ),
    ]

    private static let small = "version: 1\nmodel: {source: x.gguf}\nworkers: [{name: a}]\n"

    static let ofEmit: [WrongUse] = [
        WrongUse(
            program: .coordinator, arguments: ["emit", "nomad", "--config", "@config"], exitCode: 64,
            says: ["nomad", "slurm", "kubernetes", "systemd", "compose"], configuration: small),
        WrongUse(program: .coordinator, arguments: ["emit", "slurm"], exitCode: 64, says: ["--config"]),
        WrongUse(
            program: .coordinator, arguments: ["emit", "slurm", "--config", "no/such.yaml"], exitCode: 2,
            says: ["no/such.yaml"]),
        WrongUse(
            program: .coordinator, arguments: ["emit", "kubernetes", "--config", "@config"], exitCode: 2,
            says: ["-o", "kubernetes takes 3 files"], configuration: small),
        WrongUse(
            program: .coordinator, arguments: ["emit", "slurm", "--config", "@config", "-o", "README.md"], exitCode: 1,
            says: ["README.md", "folder"], configuration: small),
        WrongUse(
            program: .coordinator, arguments: ["emit", "slurm", "--config", "@config"], exitCode: 2,
            says: ["coordinator"],
            configuration: "version: 1\nmodel: {source: x.gguf}\nworkers: [{name: coordinator}]\n"),
    ]

    @Test(
        "an error is short, names what is wrong, and sets the exit code",
        arguments: ofShard + ofBench + ofBenchServe + ofWorker + ofCoordinator + ofEmit)
    func wrongUse(_ use: WrongUse) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shard-wrong-use-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "cluster.yaml")
        try use.configuration?.write(to: file, atomically: true, encoding: .utf8)
        let arguments = use.arguments.map { $0 == "@config" ? file.path : $0 }
        let output = try await use.program.run(arguments, environment: use.environment)
        #expect(output.exitCode == use.exitCode, "\(output.stderr)")
        #expect(output.stdout.isEmpty)
        for words in use.says {
            #expect(output.stderr.contains(words), "expected «\(words)» in: \(output.stderr)")
        }
        if use.exitCode != 64 { #expect(output.errorLines.count == 1, "\(output.stderr)") }
    }

    @Test("--help shows examples, --version the version", arguments: BuiltProgram.allCases)
    func help(_ program: BuiltProgram) async throws {
        let help = try await program.run(["--help"])
        #expect(help.exitCode == 0)
        #expect(help.stdout.contains("Examples:"))
        let version = try await program.run(["--version"])
        #expect(version.exitCode == 0)
        #expect(version.stdout.split(separator: ".").count == 3, "\(version.stdout)")
    }
}
