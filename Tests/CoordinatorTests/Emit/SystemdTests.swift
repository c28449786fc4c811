import Sharding
import Testing

@testable import Coordinator

@Suite("systemd's units")
struct SystemdTests {
    private func files(_ deployment: Deployment) throws -> [EmittedFile] {
        try DeploymentEngine.systemd.files(for: deployment)
    }

    @Test("each worker has its environment, and a limit where memory says one")
    func workers() throws {
        let files = try files(try SampleDeployment.plain())
        let units = "etc/systemd/system"
        #expect(
            files.text("etc/shard/workers/a.env")?.hasSuffix(
                "SHARD_COORDINATOR=\"tcp://10.0.0.1:5555\"\nSHARD_FLAGS=\"--device cpu --threads 4 --memory 21474836480 --models /models\"\n"
            ) == true)
        #expect(files.text("etc/shard/workers/b.env") != nil)
        #expect(
            files.text("\(units)/shard-worker@a.service.d/limits.conf")?.hasSuffix(
                "[Service]\nMemoryMax=\((20 << 30) + (256 << 20))\n") == true)
        #expect(files.text("\(units)/shard-worker@b.service.d/limits.conf") == nil)
        #expect(files.allSatisfy { !$0.isSecret })
    }

    @Test("the coordinator reads its key where only its service can")
    func configuration() throws {
        let deployment = try SampleDeployment.plain()
        let text = try #require(try files(deployment).text("etc/shard/cluster.yaml"))
        let configuration = try ClusterConfiguration.parse(text)
        #expect(configuration.security.keyPath == "/run/shard-coordinator/coordinator.key")
        #expect(configuration.security.workerKeys == deployment.keys.workerKeys)
        #expect(configuration.coordinator.results.endpoint == "tcp://10.0.0.1:5556")
    }

    @Test("a wildcard is no address that workers could be told")
    func wildcard() throws {
        var deployment = try SampleDeployment.plain { $0.coordinator.bind = NetworkAddress(host: "*", port: 5555) }
        #expect(throws: CoordinatorError.self) { try files(deployment) }
        deployment.configuration.coordinator.advertise = NetworkAddress(host: "node1", port: 5555)
        #expect(try files(deployment).text("etc/shard/workers/b.env")?.contains("tcp://node1:5555") == true)
    }

    @Test("of people's homes only the model's folder is seen")
    func homes() throws {
        let unit = "etc/systemd/system/shard-coordinator.service"
        #expect(try files(try SampleDeployment.plain()).text(unit)?.contains("\nProtectHome=yes\n") == true)
        let text = try files(try SampleDeployment.plain { $0.model.source = "/home/me/my models/100%/x.gguf" }).text(
            unit)
        #expect(text?.contains("\nProtectHome=tmpfs\nBindReadOnlyPaths=-\"/home/me/my models/100%%\"\n") == true)
    }

    @Test("texts are escaped for the file that they stand in")
    func escapes() {
        #expect(UnitText.word("/opt/a b%n$x\"") == "\"/opt/a b%%n$$x\\\"\"")
        #expect(UnitText.word("/opt/shard") == "/opt/shard")
        #expect(UnitText.variable("A", "x \"y\" $z `w` \\") == "A=\"x \\\"y\\\" \\$z \\`w\\` \\\\\"\n")
        #expect(UnitText.flag("it's") == "\"it's\"")
    }
}
