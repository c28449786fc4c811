import Foundation
import Testing

@testable import Sharding

@Suite("cluster.yaml")
struct ClusterConfigurationTests {
    static let minimal = """
        version: 1
        model: {source: demo.gguf}
        workers: [{name: a}]

        """

    /// The lines of the error that `text` brings.
    private func lines(_ text: String) -> [String] {
        do {
            _ = try ClusterConfiguration.parse(text)
            return []
        } catch {
            return error.lines
        }
    }

    @Test("the file at the top of the repository is right")
    func theBundledFile() throws {
        let root = repositoryRoot()
        let configuration = try ClusterConfiguration.load(path: root.appendingPathComponent("cluster.yaml").path)
        #expect(configuration.workers.map(\.name) == ["a", "b"])
        #expect(configuration.model.name == "demo")
        #expect(FileManager.default.fileExists(atPath: configuration.model.source))
    }

    @Test("keys that are left out have their defaults")
    func defaults() throws {
        let configuration = try ClusterConfiguration.parse(Self.minimal, folder: "/etc/shard")
        #expect(configuration.model.source == "/etc/shard/demo.gguf")
        #expect(configuration.model.name == "demo")
        #expect(configuration.model.cacheType == .f16)
        #expect(configuration.model.context == nil)
        #expect(configuration.coordinator.bind.endpoint == "tcp://127.0.0.1:5555")
        #expect(configuration.coordinator.http.description == "127.0.0.1:8080")
        #expect(configuration.placement.policy == .balanced)
        #expect(configuration.placement.reserveBytes == 1 << 30)
        #expect(configuration.failure.heartbeat == .milliseconds(500))
        #expect(configuration.failure.deadAfter == .seconds(2))
        let worker = try #require(configuration.workers.first)
        #expect(worker.start == .local && worker.device == "cpu" && worker.threads == nil && worker.mode == .simple)
    }

    @Test("every key is read")
    func everyKey() throws {
        let configuration = try ClusterConfiguration.parse(
            """
            version: 1
            model: {name: demo, source: /m/demo.gguf, context: 512, kv_type: f32}
            coordinator: {bind: "tcp://127.0.0.1:*", http: "localhost:0", advertise: null, api_keys: k, tls: {certificate: c.pem, key: /k.pem}}
            serving: {max_sequences: 3, queue: 5, gap_max: 50ms, prefix_cache: false}
            security: {key_dir: null, workers: {}}
            placement: {policy: manual, objective: decode, reserve: 1.5GiB}
            workers:
              - {name: a, device: cpu, start: external, host: nodeA, layers: "0-3"}
              - {name: b, start: local, memory: 20GiB, mode: simple, packed_cache: off, cpus: "1,3-4",
                 threads: 2, layers: "4-7,head", bind: "tcp://127.0.0.1:6000", advertise: "tcp://[::1]:6001",
                 models: [/x, y], cache: z}
            failure: {heartbeat: 100ms, dead_after: 400ms, step_deadline: 3s, wait: 2m}
            """, folder: "/etc")
        #expect(configuration.coordinator.bind.port == 0)
        #expect(configuration.coordinator.http.host == "localhost")
        #expect(configuration.coordinator.apiKeys == "/etc/k")
        #expect(configuration.coordinator.tls == .init(certificate: "/etc/c.pem", key: "/k.pem"))
        #expect(configuration.placement.reserveBytes == 3 << 29)
        #expect(configuration.model.sourcePlace == ConfigurationPlace(line: 2, column: 29, key: "model.source"))
        #expect(configuration.model.contextPlace == ConfigurationPlace(line: 2, column: 52, key: "model.context"))
        #expect(configuration.workers[0].start == .external && configuration.workers[1].threads == 2)
        #expect(configuration.workers[1].cpus == [1, 3, 4])
        #expect(configuration.workers[1].layers == LayerSelection(ranges: [4..<8], includesHead: true))
        #expect(configuration.workers[1].memoryBytes == 20 << 30)
        #expect(configuration.workers[1].advertise?.endpoint == "tcp://[::1]:6001")
        #expect(configuration.workers[1].modelFolders == ["/x", "/etc/y"])
        #expect(configuration.workers[1].cacheFolder == "/etc/z")
        #expect(configuration.workers[0].host == "nodeA")
        #expect(configuration.coordinator.results.endpoint == "tcp://127.0.0.1:*")
        #expect(configuration.failure.wait == .seconds(120))
        #expect(configuration.serving.gapMax == .milliseconds(50) && !configuration.serving.sharesPrefixes)
        #expect(configuration.problems(layerCount: 8).isEmpty)
        #expect(configuration.problems(layerCount: 9).map(\.message) == ["layers 8 of the model's 9 are on no worker"])
        #expect(configuration.problems(layerCount: 6).count == 1)
    }

    @Test("all independent problems are reported at once, each at its place")
    func allAtOnce() {
        let found = lines(
            """
            version: 2
            model: {source: demo.gguf, contxt: 4, kv_type: q4_0}
            coordinator: {bind: "tcp://0.0.0.0:5555", http: "127.0.0.1:99999"}
            workers:
              - {name: a, device: gpu}
              - {name: a, threads: many}
              - 5
            failure: {heartbeat: 5}
            """)
        let expected = [
            "cluster.yaml:1:10: version: expected 1, got 2",
            "cluster.yaml:2:28: model.contxt: unknown key; did you mean context?",
            "cluster.yaml:2:48: model.kv_type: expected one of f32, f16, q8_0, got \"q4_0\"",
            "cluster.yaml:3:21: coordinator.bind: 0.0.0.0:5555 is beyond loopback, which needs keys; make them with: shard-coordinator keygen -o keys, and set security.key_dir: keys",
            "cluster.yaml:3:49: coordinator.http: expected HOST:PORT with a port from 1 to 65535, or 0 or * for any free one, got \"127.0.0.1:99999\"",
            "cluster.yaml:5:23: workers[0].device: expected cpu or cuda:N, got \"gpu\"",
            "cluster.yaml:6:12: workers[1].name: expected a name of its own, got \"a\" as on line 5",
            "cluster.yaml:6:24: workers[1].threads: expected a whole number from 1 to 1024, got \"many\"",
        ]
        #expect(Array(found.prefix(8)) == expected)
        #expect(found.count == 10)
        #expect(found[8].hasPrefix("cluster.yaml:7:5: workers[2]: expected a mapping with name, start"))
        #expect(found[9].hasPrefix("cluster.yaml:8:22: failure.heartbeat: expected a duration"))
    }

    @Test("duplicate keys are reported at the second, with everything else")
    func duplicateKeys() {
        let found = lines(
            """
            version: 1
            model: {source: a.gguf}
            workers:
              - name: a
                "threads": 1
                device: gpu
                'threads': 2
                threads: 3
            model: {source: c.gguf, sauce: 4}
            """)
        #expect(
            found == [
                "cluster.yaml:6:13: workers[0].device: expected cpu or cuda:N, got \"gpu\"",
                "cluster.yaml:7:5: workers[0].threads: duplicate key, before on line 5",
                "cluster.yaml:8:5: workers[0].threads: duplicate key, before on line 7",
                "cluster.yaml:9:1: model: duplicate key, before on line 2",
                "cluster.yaml:9:25: model.sauce: unknown key; did you mean source?",
            ])
    }

    @Test(
        "what is not there yet is said, not ignored",
        arguments: [
            ("workers: [{name: a, device: \"cuda:0\"}]", "3:29: workers[0].device")
        ])
    func notYet(section: String, place: String) {
        let rest = section.hasPrefix("workers") ? "" : "\nworkers: [{name: a}]"
        let found = lines("version: 1\nmodel: {source: m}\n\(section)\(rest)")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("cluster.yaml:\(place): ") == true)
        #expect(found.first?.contains("not yet") == true)
    }

    @Test("HTTP beyond loopback needs keys, and TLS both of its files")
    func http() {
        func found(_ coordinator: String) -> [String] {
            lines("version: 1\nmodel: {source: m}\nworkers: [{name: a}]\ncoordinator: {\(coordinator)}")
        }
        let open = found(#"http: "0.0.0.0:80""#)
        #expect(
            open.count == 1
                && open.first?.hasPrefix("cluster.yaml:4:21: coordinator.http: 0.0.0.0:80 is beyond") == true)
        #expect(open.first?.contains("shard-coordinator keygen --api-key") == true)
        #expect(found(#"http: "0.0.0.0:80", api_keys: keys/api-keys"#) == [])
        #expect(found("tls: {certificate: c.pem, key: k.pem}") == [])
        #expect(
            found("tls: {certificate: c.pem}") == [
                "cluster.yaml:4:20: coordinator.tls.key: expected a PEM file, got nothing"
            ])
        #expect(found("tls: c.pem").first?.contains("expected a mapping with certificate, key") == true)
        #expect(found("api_keys: [a]").first?.contains("coordinator.api_keys: expected a file of API keys") == true)
    }

    @Test(
        "times that no cluster can keep are refused",
        arguments: [
            ("heartbeat: 2h, dead_after: 5h", "4:22: failure.heartbeat", "from 100ms to 1h"),
            ("dead_after: 61m", "4:23: failure.dead_after", "from 400ms to 1h"),
            ("step_deadline: 25h", "4:26: failure.step_deadline", "from 1s to 24h"),
            ("wait: 1e9s", "4:17: failure.wait", "from 0s to 24h"),
        ])
    func longTimes(settings: String, place: String, range: String) {
        let found = lines("version: 1\nmodel: {source: m}\nworkers: [{name: a}]\nfailure: {\(settings)}")
        #expect(found.first?.hasPrefix("cluster.yaml:\(place): expected a duration ") == true)
        #expect(found.first?.contains(range) == true)
    }

    @Test(
        "layers placed by hand have no gap and no overlap",
        arguments: [
            (["0-3", "5-7"], ["layers 4 are on no worker"]),
            (["1-3"], ["layers 0 are on no worker"]),
            (["0-3", "3-7"], ["layers 3 are on a0 and on a1"]),
            (["0-7", "2-3"], ["layers 2-3 are on a0 and on a1"]),
            (["0-1,4-5", "2-3"], []),
            (["0-1,head", "2-3,head"], ["expected the head on one worker, got it on two"]),
        ])
    func manualLayers(layers: [String], expected: [String]) {
        let workers = layers.enumerated().map { "  - {name: a\($0), layers: \"\($1)\"}" }.joined(separator: "\n")
        let found = lines("version: 1\nmodel: {source: m}\nplacement: {policy: manual}\nworkers:\n\(workers)")
        #expect(found.map { String($0.split(separator: ": ").last ?? "") } == expected)
    }

    @Test(
        "a file that is no mapping of settings is refused",
        arguments: [
            ("", "1:1: expected settings, got an empty file"),
            ("# only words", "1:1: expected settings, got an empty file"),
            ("5", "1:1: expected a mapping"), ("a: [1", "not valid YAML"), ("a: b: c", "not valid YAML"),
            ("- a", "1:1: expected a mapping"), ("version: 1\n--- \nversion: 1", "not valid YAML"),
            ("a: \u{0}", "not valid YAML"),
            ("*a", "not valid YAML"), ("? [a]\n: 1", "expected a key"), ("\t", "not valid YAML"),
        ])
    func noMapping(text: String, expected: String) {
        let found = lines(text)
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }
}

/// The folder with Package.swift.
func repositoryRoot() -> URL {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.path != "/" {
        folder.deleteLastPathComponent()
        if FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) { break }
    }
    return folder
}
