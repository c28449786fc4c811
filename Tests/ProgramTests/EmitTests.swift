import Foundation
import Subprocess
import Testing

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

@Suite("shard-coordinator emit")
struct EmitTests {
    private static let analyze = "/usr/bin/systemd-analyze"
    private static let configuration = """
        version: 1
        model: {name: demo, source: model.gguf}
        workers: [{name: a, threads: 1, memory: 1GiB}, {name: b.2_x}]
        """

    /// Calls `body` with a folder of a name that shells would split, which has a cluster.yaml.
    private func inFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shard emit $x '\(UUID().uuidString)'")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Self.configuration.write(to: folder.appending(path: "cluster.yaml"), atomically: true, encoding: .utf8)
        try await body(folder)
    }

    private func emit(_ engine: String, _ folder: URL, _ more: [String] = []) async throws -> BuiltProgram.Output {
        let file = folder.appending(path: "cluster.yaml").path
        return try await BuiltProgram.coordinator.run(["emit", engine, "--config", file] + more)
    }

    @Test("a single file goes to stdout, and bash reads it")
    func standardOutput() async throws {
        try await inFolder { folder in
            let output = try await emit("slurm", folder)
            #expect(output.exitCode == 0 && output.stderr.isEmpty, "\(output.stderr)")
            #expect(output.stdout.hasPrefix("#!/bin/bash\n"))
            #expect(output.stdout.contains("programs=\(BuiltProgram.folder.resolvingSymlinksInPath().path)"))
            let result = try await Subprocess.run(
                .name("bash"), arguments: ["-n"], input: .string(output.stdout), output: .discarded,
                error: .string(limit: 1 << 16))
            #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
        }
    }

    @Test(
        "every file is named on stdout, and none is written over without --force",
        arguments: ["slurm", "kubernetes", "compose"])
    func files(_ engine: String) async throws {
        try await inFolder { folder in
            let target = folder.appending(path: "out").path
            let first = try await emit(engine, folder, ["-o", target])
            #expect(first.exitCode == 0, "\(first.stderr)")
            let paths = first.stdout.split(separator: "\n").map(String.init)
            #expect(!paths.isEmpty && paths.allSatisfy { FileManager.default.fileExists(atPath: $0) })
            let left = try FileManager.default.subpathsOfDirectory(atPath: target)
            #expect(left.count == paths.count)

            let second = try await emit(engine, folder, ["-o", target])
            #expect(second.exitCode == 2 && second.stdout.isEmpty)
            #expect(second.stderr.contains("--force") && second.errorLines.count == 1, "\(second.stderr)")
            let third = try await emit(engine, folder, ["-o", target, "--force"])
            #expect(third.exitCode == 0 && third.stdout == first.stdout)
        }
    }

    @Test("keys that are there are used, and secret ones stand in a file for their owner only")
    func keys() async throws {
        try await inFolder { folder in
            let keys = folder.appending(path: "keys")
            #expect(try await BuiltProgram.coordinator.run(["keygen", "-o", keys.path]).exitCode == 0)
            for name in ["a", "b.2_x"] {
                let output = try await BuiltProgram.worker.run(["keygen", "--name", name, "-o", keys.path])
                #expect(output.exitCode == 0)
            }
            // Of this one only the public half is here.
            try FileManager.default.removeItem(at: keys.appending(path: "b.2_x.key"))
            try (Self.configuration + "\nsecurity: {key_dir: keys}\n").write(
                to: folder.appending(path: "cluster.yaml"), atomically: true, encoding: .utf8)
            let secrets = try ["coordinator", "a"].map { try key("secret-key", in: keys.appending(path: "\($0).key")) }
            let known = try ["a", "b.2_x"].map { try key("public-key", in: keys.appending(path: "\($0).pub")) }

            for engine in ["slurm", "kubernetes", "compose"] {
                let output = try await emit(engine, folder, ["-o", folder.appending(path: engine).path])
                #expect(output.exitCode == 0, "\(output.stderr)")
                #expect(output.errorLines.count == (engine == "slurm" ? 0 : 1), "\(output.stderr)")
                for path in output.stdout.split(separator: "\n").map(String.init) {
                    let text = try String(contentsOfFile: path, encoding: .utf8)
                    let isSecret = path.hasSuffix("secrets.yaml")
                    #expect(secrets.allSatisfy { text.contains($0) == isSecret }, "\(path)")
                    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                    if isSecret { #expect(mode == 0o600) }
                    if path.hasSuffix("/kubernetes.yaml") || path.hasSuffix("/compose/cluster.yaml") {
                        #expect(known.allSatisfy(text.contains), "\(path)")
                    }
                }
            }
        }
    }

    /// The value of a line of a key file.
    private func key(_ name: String, in file: URL) throws -> String {
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("\(name) = ") })
        return String(line.dropFirst(name.count + 3))
    }

    @Test("keys that are not there are named, and --quiet is quiet")
    func remarks() async throws {
        try await inFolder { folder in
            let loud = try await emit("compose", folder, ["-o", folder.appending(path: "1").path])
            #expect(loud.errorLines.count == 3 && loud.stderr.contains("keygen --name b.2_x"))
            let quiet = try await emit("compose", folder, ["-o", folder.appending(path: "2").path, "--quiet"])
            #expect(quiet.exitCode == 0 && quiet.stderr.isEmpty)
        }
    }

    @Test(
        "systemd accepts the units, and finds little that they could do",
        .enabled(if: FileManager.default.isExecutableFile(atPath: analyze), "systemd-analyze is not installed"))
    func units() async throws {
        try await inFolder { folder in
            // Units name paths, which systemd takes without quotes only.
            let target = FileManager.default.temporaryDirectory.appending(path: "shard-units-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: target) }
            try Self.configuration.replacing("model.gguf", with: "/srv/models/model.gguf").write(
                to: folder.appending(path: "cluster.yaml"), atomically: true, encoding: .utf8)
            let output = try await emit(
                "systemd", folder, ["-o", target.path, "--programs", BuiltProgram.folder.path])
            #expect(output.exitCode == 0, "\(output.stderr)")
            let units = target.appending(path: "etc/systemd/system").path
            for unit in ["\(units)/shard-coordinator.service", "\(units)/shard-worker@.service"] {
                for arguments in [
                    ["verify", "--man=no", unit], ["security", "--offline=true", "--threshold=20", unit],
                ] {
                    let result = try await Subprocess.run(
                        .path(FilePath(Self.analyze)), arguments: Arguments(arguments), input: .none,
                        output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
                    #expect(result.terminationStatus.isSuccess, "\(result.standardOutput)\(result.standardError)")
                    if arguments[0] == "verify" { #expect(result.standardError.isEmpty, "\(result.standardError)") }
                }
            }
        }
    }
}
