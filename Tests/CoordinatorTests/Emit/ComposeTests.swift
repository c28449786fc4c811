import Sharding
import Testing
import Yams

@testable import Coordinator

@Suite("compose's project")
struct ComposeTests {
    private func project(_ deployment: Deployment) throws -> Node {
        let text = try DeploymentEngine.compose.files(for: deployment).text("compose.yaml")
        let node = try Yams.compose(yaml: text ?? "")
        return try #require(node)
    }

    @Test("has no field that compose does not know, and none of another type")
    func fields() throws {
        let schema = try FieldSchema.load("compose")
        let gpu = try SampleDeployment.plain { $0.workers[0].device = "cuda:3" }
        for deployment in try [SampleDeployment.plain(), gpu]
            + SampleDeployment.hostileTexts.map(SampleDeployment.hostile)
        {
            let project = try project(deployment)
            #expect(schema.problems(project) == [])
        }
    }

    @Test("every service is unprivileged and sees the keys that it needs")
    func services() throws {
        let project = try project(try SampleDeployment.plain())
        let services = try #require(project["services"]?.mapping)
        #expect(services.keys.map(\.string) == ["coordinator", "worker-a", "worker-b"])
        for service in services.values {
            #expect(service["read_only"]?.bool == true && service["cap_drop"]?.sequence?.first?.string == "ALL")
            #expect(service["secrets"]?.sequence?.count == 1)
            #expect(service["ports"] == nil && service["network_mode"] == nil)
        }
        #expect(project["secrets"]?["b.key"]?["file"]?.string == "/keys/b.key")
        #expect(project["networks"]?["cluster"]?["internal"]?.bool == true)
        #expect(services["worker-a"]?["mem_limit"]?.int == (20 << 30) + (256 << 20))
    }

    @Test("a dollar in a path is no variable")
    func dollars() throws {
        let project = try project(try SampleDeployment.hostile("$HOME"))
        let volume = project["services"]?["coordinator"]?["volumes"]?.sequence?.first
        #expect(volume?["source"]?.string == "/models/$$HOME")
    }

    @Test("the coordinator's configuration is one, for paths of its container")
    func configuration() throws {
        let deployment = try SampleDeployment.plain()
        let text = try #require(try DeploymentEngine.compose.files(for: deployment).text("cluster.yaml"))
        let configuration = try ClusterConfiguration.parse(text)
        #expect(configuration.model.source == "/models/demo.gguf")
        #expect(configuration.security.keyPath == "/run/secrets/coordinator.key")
        #expect(configuration.security.workerKeys == deployment.keys.workerKeys)
    }
}
