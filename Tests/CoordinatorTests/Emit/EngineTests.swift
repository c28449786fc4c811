import Foundation
import Sharding
import Testing
import Yams
import ZeroMQ

@testable import Coordinator

/// What holds for the files of every engine.
@Suite("Emitted files")
struct EngineTests {
    @Test("every worker appears", arguments: DeploymentEngine.allCases)
    func everyWorker(_ engine: DeploymentEngine) throws {
        var deployment = try SampleDeployment.plain()
        let worker = deployment.configuration.workers[0]
        deployment.configuration.workers = (0..<7).map { index in
            var worker = worker
            worker.name = "worker.\(index)_X"
            return worker
        }
        let text = try engine.files(for: deployment).map(\.text).joined()
        for worker in deployment.workers { #expect(text.contains(worker.name)) }
    }

    @Test("only files for their owner hold secrets", arguments: DeploymentEngine.allCases)
    func noSecrets(_ engine: DeploymentEngine) throws {
        let deployment = try SampleDeployment.plain()
        let secrets = SampleDeployment.secrets(deployment)
        #expect(secrets.count == 3)
        for file in try engine.files(for: deployment) where !file.isSecret {
            for secret in secrets { #expect(!file.text.contains(secret), "\(file.path)") }
        }
    }

    @Test("every file begins with what to do", arguments: DeploymentEngine.allCases)
    func heads(_ engine: DeploymentEngine) throws {
        for file in try engine.files(for: SampleDeployment.plain()) where !file.path.hasSuffix(".pub") {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
            let first = lines.first { !$0.hasPrefix("#!") } ?? ""
            #expect(first.hasPrefix("# "), "\(file.path)")
        }
    }

    @Test(
        "paths stay below the folder, whatever names say",
        arguments: DeploymentEngine.allCases, SampleDeployment.hostileTexts)
    func paths(_ engine: DeploymentEngine, _ text: String) throws {
        guard engine != .systemd || !(text.contains("\\") || text.contains(":")) else { return }
        let files = try engine.files(for: SampleDeployment.hostile(text))
        for file in files {
            #expect(file.path.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._@\/-]*/) != nil, "\(file.path)")
            #expect(!file.path.contains(".."))
        }
        #expect(Set(files.map(\.path)).count == files.count)
    }

    @Test("a line break in the model's name begins no line of ours", arguments: SampleDeployment.brokenTexts)
    func lineBreaks(_ text: String) throws {
        let deployment = try SampleDeployment.plain { $0.model.name = text }
        for engine in DeploymentEngine.allCases {
            for file in try engine.files(for: deployment) {
                #expect(file.text.split(separator: "\n").allSatisfy { !$0.hasPrefix("rm -rf x") }, "\(file.path)")
                #expect(!file.text.contains("\u{85}x") && !file.text.contains("\u{2028}"), "\(file.path)")
            }
        }
    }

    @Test("a path with a line break is refused", arguments: DeploymentEngine.allCases, SampleDeployment.brokenTexts)
    func brokenPaths(_ engine: DeploymentEngine, _ text: String) throws {
        let deployments = [
            try SampleDeployment.plain { $0.model.source = "/models/\(text)" },
            try SampleDeployment.plain { $0.workers[1].modelFolders = [text] },
            try SampleDeployment.plain { $0.workers[0].cacheFolder = text },
        ]
        for deployment in deployments {
            #expect(throws: CoordinatorError.self) { try engine.files(for: deployment) }
        }
    }

    @Test("a worker cannot have the coordinator's key file", arguments: DeploymentEngine.allCases)
    func coordinatorsName(_ engine: DeploymentEngine) throws {
        let deployment = try SampleDeployment.plain { $0.workers[1].name = "coordinator" }
        #expect(throws: CoordinatorError.self) { try engine.files(for: deployment) }
    }

    @Test("missing keys are named with the command that makes them")
    func missingKeys() throws {
        var deployment = try SampleDeployment.plain()
        for engine in DeploymentEngine.allCases { #expect(engine.remarks(on: deployment).isEmpty) }
        deployment.keys = DeploymentKeys()
        #expect(DeploymentEngine.slurm.remarks(on: deployment).isEmpty)
        for engine in [DeploymentEngine.kubernetes, .systemd, .compose] {
            let remarks = engine.remarks(on: deployment)
            #expect(remarks.count == 3)
            #expect(remarks.first?.contains("shard-coordinator keygen -o keys") == true)
            #expect(remarks.last?.contains("shard-worker keygen --name b -o keys") == true)
            #expect(try engine.files(for: deployment).contains { $0.text.contains("REPLACE") })
        }
    }

    @Test(
        "HTTP beyond loopback stays with who starts the files, and a remark says so",
        arguments: DeploymentEngine.allCases)
    func http(_ engine: DeploymentEngine) throws {
        let deployment = try SampleDeployment.plain {
            $0.coordinator.http = NetworkAddress(host: "0.0.0.0", port: 8080)
            $0.coordinator.apiKeys = "/etc/shard/api-keys"
        }
        #expect(engine.remarks(on: deployment).count { $0.contains("coordinator.api_keys") } == 1)
        #expect(try engine.files(for: deployment).allSatisfy { !$0.text.contains("api_keys") })
    }

    @Test("a name for the engine has only what all engines take")
    func names() throws {
        let names = [
            "demo": "shard-demo", "Qwen3-8B.Q4_K": "shard-qwen3-8b-q4-k", "--": "shard-model", "日本": "shard-model",
            String(repeating: "a-", count: 40): "shard-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a",
        ]
        for (model, name) in names {
            #expect(try SampleDeployment.plain { $0.model.name = model }.name == name)
        }
    }
}
