import Foundation
import Testing

@Suite("keygen")
struct KeygenTests {
    /// A new folder, removed with it.
    final class Folder: Sendable {
        let path = FileManager.default.temporaryDirectory.appending(path: "shard-keygen-\(UUID().uuidString)").path
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    let folder = Folder()

    private func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
        return try #require(attributes[.posixPermissions] as? Int)
    }

    private func values(_ name: String) throws -> [String: String] {
        let text = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
        let pairs = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            line.split(separator: " ", maxSplits: 2).map(String.init)
        }
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[2]) })
    }

    @Test("a worker's keys are in two files, and the lines to paste name them")
    func worker() async throws {
        let output = try await BuiltProgram.worker.run(["keygen", "--name", "true", "-o", folder.path])
        #expect(output.exitCode == 0)
        #expect(output.stderr.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["true.key", "true.pub"])
        #expect(try mode("true.key") == 0o600)
        #expect(try mode("true.pub") == 0o644)
        #expect(try mode("") == 0o700)
        let keys = try values("true.key")
        let key = try #require(keys["public-key"])
        #expect(try values("true.pub") == ["public-key": key])
        #expect(output.stdout.contains("public key   \(key)\nfingerprint  SHA256:"))
        #expect(output.stdout.contains("    security:\n      workers:\n        \"true\": \"\(key)\"\n"))
        #expect(output.stdout.contains("--name true --key \(folder.path)/true.key --coordinator-key coordinator.pub"))
        #expect(!output.stdout.contains(try #require(keys["secret-key"])))
    }

    @Test("the coordinator's keys come with the line for its file and the command of a worker")
    func coordinator() async throws {
        let output = try await BuiltProgram.coordinator.run(["keygen", "-o", folder.path])
        #expect(output.exitCode == 0)
        let keys = try values("coordinator.key")
        let key = try #require(keys["public-key"])
        #expect(try mode("coordinator.key") == 0o600)
        #expect(output.stdout.contains("    security:\n      key_dir: \"\(folder.path)\"\n"))
        // Some keys need no quotes.
        let quoted = "--coordinator-key '\(key)'"
        #expect(output.stdout.contains(quoted) || output.stdout.contains("--coordinator-key \(key)\n"))
        #expect(!output.stdout.contains(try #require(keys["secret-key"])))
        let quiet = try await BuiltProgram.coordinator.run(["keygen", "-o", folder.path + "/other", "-q"])
        #expect(quiet.stdout.split(separator: "\n").count == 3)
    }

    @Test("--json prints one object", arguments: [BuiltProgram.worker, .coordinator])
    func json(_ program: BuiltProgram) async throws {
        let name = program == .worker ? ["--name", "a"] : []
        let output = try await program.run(["keygen", "-o", folder.path, "--json"] + name)
        let object = try JSONSerialization.jsonObject(with: Data(output.stdout.utf8)) as? [String: String]
        let file = program == .worker ? "a" : "coordinator"
        #expect(object?.keys.sorted() == ["fingerprint", "public_key", "public_key_file", "secret_key_file"])
        #expect(object?["secret_key_file"] == "\(folder.path)/\(file).key")
        #expect(object?["public_key_file"] == "\(folder.path)/\(file).pub")
        #expect(object?["public_key"] == (try values("\(file).pub")["public-key"]))
    }

    @Test("keys are never overwritten", arguments: [BuiltProgram.worker, .coordinator])
    func existing(_ program: BuiltProgram) async throws {
        let arguments = ["keygen", "-o", folder.path] + (program == .worker ? ["--name", "a"] : [])
        #expect(try await program.run(arguments).exitCode == 0)
        let before = try values(program == .worker ? "a.key" : "coordinator.key")
        let second = try await program.run(arguments)
        #expect(second.exitCode == 2)
        #expect(second.stdout.isEmpty)
        #expect(second.errorLines.count == 1)
        #expect(second.stderr.contains("never overwritten"))
        #expect(try values(program == .worker ? "a.key" : "coordinator.key") == before)
    }

    @Test("a client's key is added to a file of its own, once for each name")
    func apiKey() async throws {
        let first = try await BuiltProgram.coordinator.run(["keygen", "-o", folder.path, "--api-key", "alice", "-q"])
        #expect(first.exitCode == 0)
        let key = first.stdout.trimmingCharacters(in: .newlines)
        #expect(key.hasPrefix("shard-") && key.count == 49)
        #expect(try mode("api-keys") == 0o600)
        let more = ["--api-key", "bob", "--priority", "-2", "--concurrency", "3", "--json"]
        let second = try await BuiltProgram.coordinator.run(["keygen", "-o", folder.path] + more)
        let object = try JSONSerialization.jsonObject(with: Data(second.stdout.utf8)) as? [String: String]
        #expect(object?["name"] == "bob" && object?["file"] == "\(folder.path)/api-keys")
        let text = try String(contentsOfFile: "\(folder.path)/api-keys", encoding: .utf8)
        let bob = try #require(object?["key"])
        #expect(text.hasSuffix("\nalice = \(key)\nbob = \(bob) priority=-2 concurrency=3\n"))
        let again = try await BuiltProgram.coordinator.run(["keygen", "-o", folder.path, "--api-key", "alice"])
        #expect(again.exitCode == 2 && again.stdout.isEmpty && again.stderr.contains("each name once"))
        #expect(try String(contentsOfFile: "\(folder.path)/api-keys", encoding: .utf8) == text)
        for wrong in [["--api-key", "a b"], ["--api-key", "c", "--concurrency", "0"]] {
            #expect(try await BuiltProgram.coordinator.run(["keygen", "-o", folder.path] + wrong).exitCode == 2)
        }
        #expect(try await BuiltProgram.coordinator.run(["keygen", "--priority", "1"]).exitCode == 64)
    }

    @Test("a name that no worker may have is refused", arguments: ["", "../a", "a b", "a/b", "a\nb", "\u{e9}"])
    func wrongName(name: String) async throws {
        let output = try await BuiltProgram.worker.run(["keygen", "--name", name, "-o", folder.path])
        #expect(output.exitCode == 2)
        #expect(output.errorLines.count == 1, "\(output.stderr)")
        #expect(output.stderr.hasPrefix("--name: expected 1 to 64 characters"))
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    @Test("a folder that cannot be made is an error that names it")
    func wrongFolder() async throws {
        let output = try await BuiltProgram.worker.run(["keygen", "--name", "a", "-o", "README.md/keys"])
        #expect(output.exitCode == 1)
        #expect(output.stderr.hasPrefix("README.md/keys: expected to make the folder, got "))
        #expect(output.errorLines.count == 1)
        #expect(try await BuiltProgram.worker.run(["keygen", "-o", folder.path]).exitCode == 64)
        #expect(try await BuiltProgram.worker.run(["keygen", "--name", "a", "-o", ""]).exitCode == 64)
    }

    @Test("the worker's help shows the options of running, and the other commands")
    func help() async throws {
        for arguments in [["--help"], ["-h"], ["help"]] {
            let help = try await BuiltProgram.worker.run(arguments).stdout
            for words in ["--coordinator <tcp://host:port>", "--models <folder>", "--threads", "--log-level", "keygen"]
            {
                #expect(help.contains(words), "expected «\(words)» in: \(help)")
            }
        }
        #expect(try await BuiltProgram.worker.run(["keygen", "--help"]).stdout.contains("--name <name>"))
    }
}
