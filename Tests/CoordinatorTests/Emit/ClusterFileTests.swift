import Sharding
import Testing
import ZeroMQ

@testable import Coordinator

@Suite("Written cluster.yaml")
struct ClusterFileTests {
    /// What a worker's own flags say, and places in the file, which the other file has elsewhere.
    private func stripped(_ configuration: ClusterConfiguration) -> ClusterConfiguration {
        var configuration = configuration
        let place = ConfigurationPlace(line: 1, column: 1, key: "")
        configuration.model.sourcePlace = place
        configuration.model.contextPlace = place
        configuration.security.keyFolderPlace = place
        for index in configuration.workers.indices {
            let worker = configuration.workers[index]
            var plain = WorkerSettings(local: worker.name)
            (plain.start, plain.device, plain.layers, plain.host) = (
                .external, worker.device, worker.layers, worker.host
            )
            configuration.workers[index] = plain
        }
        return configuration
    }

    private func roundTrip(_ configuration: ClusterConfiguration) throws {
        let text = try ClusterFile(configuration: configuration).text(head: ["a head"])
        #expect(stripped(try ClusterConfiguration.parse(text)) == stripped(configuration), "\(text)")
    }

    @Test("is read back with the same settings")
    func plain() throws {
        let deployment = try SampleDeployment.plain()
        var configuration = deployment.configuration
        configuration.security.workerKeys = deployment.keys.workerKeys
        try roundTrip(configuration)
    }

    @Test("with every key that there is")
    func everyKey() throws {
        let (key, other) = (try CurveKeyPair.generate().publicKey, try CurveKeyPair.generate().publicKey)
        try roundTrip(
            try ClusterConfiguration.parse(
                """
                version: 1
                model: {name: demo, source: /m/demo.gguf, context: 512, kv_type: f32}
                coordinator: {bind: "tcp://*:5555", advertise: "tcp://[fe80::1]:7", results: "tcp://10.0.0.1:0",
                  weights: "tcp://10.0.0.1:99", http: "0.0.0.0:0", api_keys: /k/api-keys,
                  tls: {certificate: /k/c.pem, key: /k/k.pem}}
                serving: {max_sequences: 3, queue: 0}
                security: {key_dir: /k, workers: {a.b: "\(key)", "0": "\(other)"}}
                placement: {policy: manual, objective: decode, reserve: 1.5GiB}
                workers:
                  - {name: a.b, start: external, host: nodeA, layers: "0-3,7"}
                  - {name: "0", threads: 2, layers: "4-6,8,head"}
                failure: {heartbeat: 150ms, dead_after: 2.0005s, step_deadline: 3s, wait: 2m}
                """))
    }

    @Test("with hostile names and paths", arguments: SampleDeployment.hostileTexts + SampleDeployment.brokenTexts)
    func hostile(_ text: String) throws {
        guard text != "\u{0}" else { return }
        var deployment = try SampleDeployment.hostile(text)
        deployment.configuration.security.workerKeys = deployment.keys.workerKeys
        try roundTrip(deployment.configuration)
    }

    @Test("sizes and times are written without loss")
    func amounts() {
        for count in [0, 1, 1023, 1 << 20, 3 << 29, (5 << 30) + 1, 1 << 40] {
            #expect(ConfigurationScalar.bytes(ClusterFile.bytes(count)) == count)
        }
        for time in [Duration.milliseconds(100), .seconds(24 * 3600), .microseconds(400_001), .zero] {
            #expect(ConfigurationScalar.duration(ClusterFile.duration(time)) == time)
        }
    }
}
