import Testing
import ZeroMQ

@testable import Sharding

@Suite("cluster.yaml beyond one machine")
struct SecurityConfigurationTests {
    static let keyA = CurvePublicKey(bytes: [UInt8](repeating: 7, count: 32))!
    static let keyB = CurvePublicKey(bytes: [UInt8](repeating: 9, count: 32))!

    private func lines(_ sections: String) -> [String] {
        do {
            _ = try ClusterConfiguration.parse("version: 1\nmodel: {source: m}\n\(sections)", folder: "/etc/shard")
            return []
        } catch {
            return error.lines
        }
    }

    @Test("keys, addresses and starts of workers on other machines are read")
    func read() throws {
        let configuration = try ClusterConfiguration.parse(
            """
            version: 1
            model: {source: m}
            coordinator: {bind: "tcp://0.0.0.0:5555", advertise: "tcp://10.0.0.1:5555", results: "tcp://0.0.0.0:5556"}
            security:
              key_dir: keys
              workers: {a: "\(Self.keyA)"}
            workers:
              - {name: a, start: external}
              - {name: b, ssh: me@10.0.0.2, program: /opt/shard-worker, models: [models], cache: weights}
              - {name: c}
              - {name: d, host: 10.0.0.9, start: ssh, ssh: d}
            """, folder: "/etc/shard")
        #expect(configuration.security.keyPath == "/etc/shard/keys/coordinator.key")
        #expect(configuration.security.workerKeys == ["a": Self.keyA])
        #expect(configuration.workers.map(\.start) == [.external, .ssh, .local, .ssh])
        #expect(configuration.workers[1].ssh == "me@10.0.0.2")
        // Paths of another machine are its own.
        #expect(configuration.workers[1].modelFolders == ["models"])
        #expect(configuration.workers[1].cacheFolder == "weights")
        #expect(configuration.coordinator.results.port == 5556)
        #expect(configuration.coordinator.weights == NetworkAddress(host: "0.0.0.0", port: 0))
    }

    @Test(
        "nothing reaches beyond loopback without keys, and the error says how to make them",
        arguments: [
            ("coordinator: {bind: \"tcp://0.0.0.0:5555\"}\nworkers: [{name: a}]", "3:21: coordinator.bind"),
            ("coordinator: {results: \"tcp://10.0.0.1:1\"}\nworkers: [{name: a}]", "3:24: coordinator.results"),
            ("coordinator: {weights: \"tcp://[::]:1\"}\nworkers: [{name: a}]", "3:24: coordinator.weights"),
            ("workers: [{name: a, bind: \"tcp://192.168.1.1:0\"}]", "3:27: workers[0].bind"),
            ("workers: [{name: a, advertise: \"tcp://10.0.0.2:0\"}]", "3:32: workers[0].advertise"),
            ("workers: [{name: a, ssh: me@h}]", "3:11: workers[0]"),
            ("workers: [{name: a, ssh: me@h, start: ssh}]", "3:39: workers[0].start"),
        ])
    func needsKeys(sections: String, place: String) {
        let found = lines(sections)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("cluster.yaml:\(place): ") == true, "\(found)")
        #expect(found.first?.contains("shard-coordinator keygen -o keys") == true)
    }

    @Test("a worker that others start needs its key in the list")
    func unlisted() {
        let found = lines("security: {key_dir: keys}\nworkers: [{name: a, start: external}, {name: b}]")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("cluster.yaml:4:18: workers[0].name: expected the public key of a") == true)
        #expect(found.first?.contains("shard-worker keygen --name a") == true)
    }

    @Test(
        "wrong keys are refused at their place",
        arguments: [
            ("{a: KEY}", "expected a public key of 40 characters"),
            ("{a: [1]}", "expected a public key of 40 characters"),
            ("[1]", "expected {NAME: \"PUBLIC KEY\", …}"),
            ("{a: \"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"}", "libzmq's manual prints"),
            ("{a: \"KEYA\", z: \"KEYB\"}", "expected the name of a worker (a), got \"z\""),
            ("{a: \"KEYA\", b: \"KEYA\"}", "expected a key of its own, got that of a"),
        ])
    func wrongKeys(workers: String, expected: String) {
        let text = workers.replacing("KEYA", with: Self.keyA.description).replacing("KEYB", with: Self.keyB.description)
        let names =
            workers.contains("b:")
            ? "{name: a, start: external}, {name: b, start: external}" : "{name: a, start: external}"
        let found = lines("security: {key_dir: k, workers: \(text)}\nworkers: [\(names)]")
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test(
        "what contradicts itself is refused",
        arguments: [
            ("security: {workers: {a: \"KEYA\"}}\nworkers: [{name: a}]", "expected security.key_dir beside it"),
            ("workers: [{name: a, start: local, host: h}]", "workers[0].host: expected nothing with start: local"),
            ("workers: [{name: a, start: local, ssh: h}]", "workers[0].ssh: expected nothing with start: local"),
            (
                "security: {key_dir: k}\nworkers: [{name: a, start: ssh}]",
                "workers[0].ssh: expected what ssh is to reach"
            ),
            (
                "security: {key_dir: k}\nworkers: [{name: a, ssh: \"-oProxyCommand=x\"}]",
                "workers[0].ssh: expected what ssh is to reach"
            ),
            (
                "security: {key_dir: k}\nworkers: [{name: a, ssh: h}]",
                "expected a coordinator.bind that other machines reach"
            ),
            (
                "security: {key_dir: k}\ncoordinator: {bind: \"tcp://*:5555\"}\nworkers: [{name: a, ssh: h}]",
                "expected coordinator.advertise"
            ),
            (
                "security: {key_dir: k}\ncoordinator: {bind: \"tcp://*:5555\", advertise: \"tcp://*:5555\"}\nworkers: [{name: a}]",
                "coordinator.advertise: expected one address"
            ),
            (
                "coordinator: {results: \"tcp://127.0.0.1:5555\"}\nworkers: [{name: a}]",
                "expected another port than bind's"
            ),
            (
                "workers: [{name: a, start: external, cpus: \"0\"}]",
                "workers[0].cpus: expected nothing with start: external"
            ),
            ("workers: [{name: a, program: x}]", "workers[0].program: expected nothing without start: ssh"),
        ])
    func contradictions(sections: String, expected: String) {
        let found = lines(sections.replacing("KEYA", with: Self.keyA.description))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }
}
