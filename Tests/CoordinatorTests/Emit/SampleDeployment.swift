import Foundation
import Sharding
import ZeroMQ

@testable import Coordinator

/// Clusters to write files for.
enum SampleDeployment {
    /// Two workers, with keys.
    static func plain(_ change: (inout ClusterConfiguration) -> Void = { _ in }) throws -> Deployment {
        try make(
            """
            version: 1
            model: {name: demo, source: /models/demo.gguf, context: 512}
            coordinator: {bind: "tcp://10.0.0.1:5555"}
            security: {key_dir: /keys}
            workers:
              - {name: a, threads: 4, memory: 20GiB}
              - {name: b, threads: 2, cpus: "0-3"}
            """, change)
    }

    /// Texts that mean something to a shell, to YAML, to systemd or to compose.
    static let hostileTexts = [
        "plain", "two words", "$HOME", "$(touch x)", "`touch x`", "it's", "a\"b", "back\\slash", "a;b", "a&b", "a|b",
        "#comment", "a # b", "-flag", "*", "?", "[a]", "{a: b}", "a: b", "yes", "No", "null", "~", "1", "1.5", "0x1F",
        "012", "1:30", "2001-01-01", "%n", "%%", "!tag", "&anchor", "*alias", "@at", "'", "\"", "END",
        " leading", "trailing ", "über", "日本", "🙂", "a=b", "<<", "=", "-", "--", "/", ".", "..",
    ]

    /// What no path should have, and a path can.
    static let brokenTexts = [
        "line\nbreak", "tab\there", "END\nrm -rf x\n", "bell\u{07}", "\u{2028}", "\u{85}x", "\u{0}",
    ]

    /// A cluster whose model lies in a folder of this name, and has it too; so have the second worker's own folders.
    static func hostile(_ text: String) throws -> Deployment {
        try plain { configuration in
            configuration.model.name = text
            configuration.model.source = "/models/\(text)/\(text).gguf"
            configuration.workers[0].name = "A-1_x.y"
            configuration.workers[1].modelFolders = ["/srv/\(text)"]
            configuration.workers[1].cacheFolder = "/cache/\(text)"
        }
    }

    static func make(_ text: String, _ change: (inout ClusterConfiguration) -> Void = { _ in }) throws -> Deployment {
        var configuration = try ClusterConfiguration.parse(text)
        change(&configuration)
        var keys = DeploymentKeys()
        keys.folder = "/keys"
        let coordinator = try CurveKeyPair.generate()
        (keys.coordinator, keys.coordinatorKey) = (coordinator, coordinator.publicKey)
        for name in configuration.workers.map(\.name) {
            let pair = try CurveKeyPair.generate()
            (keys.workers[name], keys.workerKeys[name]) = (pair, pair.publicKey)
        }
        return Deployment(configuration: configuration, keys: keys)
    }

    /// The secret halves of all keys, as text.
    static func secrets(_ deployment: Deployment) -> [String] {
        ([deployment.keys.coordinator].compactMap { $0 } + deployment.keys.workers.values).map(\.secretKey.secretText)
    }
}

extension [EmittedFile] {
    /// The text of the file of this path.
    func text(_ path: String) -> String? { first { $0.path == path }?.text }
}
