import Foundation
import Sharding
import Testing
import Yams

@testable import Coordinator

@Suite("Kubernetes' manifests")
struct KubernetesTests {
    private func documents(_ deployment: Deployment) throws -> [Node] {
        let files = try DeploymentEngine.kubernetes.files(for: deployment)
        let texts = files.filter { $0.path.hasSuffix(".yaml") }.map(\.text)
        return try texts.flatMap { Array(try Yams.compose_all(yaml: $0)) }
    }

    private func document(_ kind: String, _ deployment: Deployment) throws -> Node {
        try #require(try documents(deployment).first { $0["kind"]?.string == kind })
    }

    private func data(_ name: String, _ deployment: Deployment) throws -> String {
        try #require(try document("ConfigMap", deployment)["data"]?[name]?.string)
    }

    @Test("have no field that Kubernetes does not know, and none of another type")
    func fields() throws {
        let schema = try FieldSchema.load("kubernetes")
        let gpu = try SampleDeployment.plain { $0.workers[0].device = "cuda:3" }
        let deployments =
            try [SampleDeployment.plain(), gpu] + SampleDeployment.hostileTexts.map(SampleDeployment.hostile)
        for deployment in deployments {
            let documents = try documents(deployment)
            #expect(documents.count == 6)
            for document in documents { #expect(schema.problems(document) == []) }
        }
    }

    @Test("unknown and mistyped fields are seen by that check")
    func schemaSees() throws {
        let schema = try FieldSchema.load("kubernetes")
        let text = try #require(
            try DeploymentEngine.kubernetes.files(for: SampleDeployment.plain()).text("kubernetes.yaml"))
        let changes = [
            ("replicas: 1", "replicas: \"1\""), ("replicas: 1", "replica: 1"), ("size: 3", "size: true"),
            ("restartPolicy: None", "restartPolicy: Sometimes"), ("runAsNonRoot: true", "runAsNonRoot: \"yes\""),
            ("subPathExpr:", "subPathExpression:"), ("mountPath: /etc/shard", "mountpath: /etc/shard"),
            ("memory: \"1Gi\"", "memory: \"1GB\""), ("containerPort: 5555", "containerPort: 5555s"),
            ("periodSeconds: 5", "periodSeconds: 5s"), ("- ALL", "- 5"),
        ]
        for (old, new) in changes {
            let changed = text.replacing(old, with: new, maxReplacements: 1)
            #expect(changed != text, "\(old)")
            let problems = Array(try Yams.compose_all(yaml: changed)).flatMap(schema.problems)
            #expect(!problems.isEmpty, "\(new)")
        }
    }

    @Test("the coordinator's configuration is one, with every worker and its public key")
    func configuration() throws {
        let deployment = try SampleDeployment.plain()
        let configuration = try ClusterConfiguration.parse(try data("cluster.yaml", deployment))
        #expect(configuration.workers.map(\.name) == ["a", "b"])
        #expect(configuration.security.workerKeys == deployment.keys.workerKeys)
        #expect(configuration.model.source == "/models/demo.gguf")
        #expect(configuration.coordinator.bind.endpoint == "tcp://*:5555")
        #expect(configuration.coordinator.http.isLoopback)
        #expect(
            try data("coordinator.pub", deployment).contains(try #require(deployment.keys.coordinatorKey).description))
    }

    @Test("a pod's number picks name and key of a worker")
    func workers() throws {
        let deployment = try SampleDeployment.plain()
        let script = try data("worker.sh", deployment)
        #expect(script.contains("\n1) set -- --name a --device cpu --threads 4 --memory 21474836480 ;;\n"))
        #expect(script.contains("\n2) set -- --name b --device cpu --threads 2 ;;\n"))
        let secrets = try documents(deployment).filter { $0["kind"]?.string == "Secret" }
        #expect(secrets.count == 2)
        for (index, worker) in deployment.workers.enumerated() {
            let secret = try #require(deployment.keys.workers[worker.name]).secretKey.secretText
            #expect(secrets[1]["stringData"]?["worker-\(index + 1).key"]?.string?.contains(secret) == true)
        }
    }

    @Test("secrets are in a file of their own, for its owner only")
    func secrets() throws {
        let files = try DeploymentEngine.kubernetes.files(for: try SampleDeployment.plain())
        #expect(files.filter(\.isSecret).map(\.path) == ["secrets.yaml"])
        #expect(files.text("kubernetes.yaml")?.contains("kind: Secret") == false)
    }

    @Test("probes ask inside the container, as nothing else reaches its loopback")
    func probes() throws {
        let text = try #require(
            try DeploymentEngine.kubernetes.files(for: SampleDeployment.plain()).text("kubernetes.yaml"))
        #expect(!text.contains("httpGet:"))
        #expect(text.contains("http://127.0.0.1:8080/ready") && text.contains("http://127.0.0.1:8080/health"))
    }

    @Test("limits come from memory and threads, and the cache's from the model")
    func resources() throws {
        var deployment = try SampleDeployment.plain()
        let pod = try document("LeaderWorkerSet", deployment)["spec"]?["leaderWorkerTemplate"]?["workerTemplate"]
        let resources = try #require(pod?["spec"]?["containers"]?.sequence?.first?["resources"])
        #expect(resources["limits"]?["memory"]?.string == "\(20 * 1024 + 256)Mi")
        #expect(resources["requests"]?["cpu"]?.string == "4")
        #expect(KubernetesResources.cacheGiB(nil) == 64)
        #expect(KubernetesResources.cacheGiB(5_000_000_000) == 5 && KubernetesResources.cacheGiB(1) == 1)
        deployment.configuration.workers[0].memoryBytes = nil
        deployment.configuration.workers[1].memoryBytes = nil
        #expect(try document("LeaderWorkerSet", deployment)["spec"] != nil)
    }
}
