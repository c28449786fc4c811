import Sharding
import ZeroMQ

/// A LeaderWorkerSet (leaderworkerset.x-k8s.io/v1): the leader is the coordinator, and each worker a pod of its own;
/// with the services, the configuration and the keys that they need.
struct KubernetesManifests {
    let deployment: Deployment
    var name: String { deployment.name }
    var coordinatorService: String { "\(name)-coordinator" }
    var httpService: String { "\(name)-http" }

    init(_ deployment: Deployment) { self.deployment = deployment }

    func files() throws(CoordinatorError) -> [EmittedFile] {
        let pods = KubernetesPods(self)
        return [
            EmittedFile(
                "kubernetes.yaml",
                try YAMLTree.file(head: head, [try configMap(), workersService, httpServiceObject, pods.set])),
            EmittedFile("secrets.yaml", try YAMLTree.file(head: secretsHead, secrets), isSecret: true),
            ContainerImage.dockerfile,
        ]
    }

    private var head: [String] {
        [
            "\(deployment.configuration.model.name) on \(deployment.workers.count) workers in Kubernetes, made by "
                + "shard-coordinator emit kubernetes.",
            "",
            "Needs:  LeaderWorkerSet v0.6 or newer in the cluster; the image \(deployment.image), of the Dockerfile beside this;",
            "        a PersistentVolumeClaim \(deployment.modelsClaim) that has the model at its top: \(deployment.modelFile)",
            "Start:  kubectl apply -f secrets.yaml -f kubernetes.yaml",
            "Ask:    kubectl port-forward service/\(httpService) \(deployment.httpPort)",
            "        curl http://127.0.0.1:\(deployment.httpPort)/v1/models",
            "Stop:   kubectl delete -f kubernetes.yaml -f secrets.yaml",
            "",
            "HTTP answers on the loopback of the coordinator's pod only, as there are no API keys yet: port-forward reaches",
            "it, other pods do not. For the same reason the probes run curl in the container; httpGet would ask the pod's",
            "address. Workers have no HTTP; they are alive while their process is.",
            "A pod that fails is started again alone (restartPolicy None), and the others go on. The workers are not waited",
            "for before the coordinator starts, nor it for them (startupPolicy LeaderCreated): it is ready when they are.",
            "replicas stays 1: a second group would have the same names and keys. size is one more than the workers.",
            "A claim that only one node can mount: take the volume models out of the workers; their layers then come over",
            "the wire and stay in the volume cache.",
        ]
    }

    private var secretsHead: [String] {
        [
            "The keys of \(name). Keep this file to yourself; kubectl apply -f secrets.yaml, then delete it.",
            "What says REPLACE stands for the text of a key file that was not there.",
        ] + deployment.keys.missing(of: deployment.workers.map(\.name), needsSecrets: true)
    }

    var labels: YAMLTree { ["app.kubernetes.io/name": "shard", "app.kubernetes.io/instance": .text(name)] }

    func metadata(_ name: String) -> YAMLTree { ["name": .text(name), "labels": labels] }

    private func configMap() throws(CoordinatorError) -> YAMLTree {
        let key = deployment.keys.coordinatorKey.map(DeploymentKeys.publicText)
        return [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name),
            "data": [
                "cluster.yaml": .text(try ClusterFile(configuration: configuration).text() + missingKeys),
                "coordinator.pub": .text(key ?? "REPLACE: the text of coordinator.pub\n"),
                "coordinator.sh": .text(KubernetesScripts.coordinator),
                "worker.sh": .text(KubernetesScripts.worker(self)),
            ],
        ]
    }

    private var configuration: ClusterConfiguration {
        var configuration = deployment.configuration(
            host: "*", source: "\(DeploymentPlaces.models)/\(deployment.modelFile)",
            keyFolder: KubernetesScripts.keyFolder)
        for index in configuration.workers.indices {
            configuration.workers[index].host = nil
            configuration.workers[index].device = Self.device(of: configuration.workers[index])
        }
        return configuration
    }

    /// Inside its pod a GPU is the only one.
    static func device(of worker: WorkerSettings) -> String {
        WorkerFlags.gpu(of: worker) == nil ? worker.device : "cuda:0"
    }

    /// The coordinator refuses to start without them, and names the place.
    private var missingKeys: String {
        deployment.workers.map(\.name).filter { deployment.keys.workerKeys[$0] == nil }
            .map { EmittedFile.comment("REPLACE: add the public key of \($0) to security.workers") + "\n" }.joined()
    }

    /// Without an address of its own: names lead to the pod itself, also before it is ready, which needs workers.
    private var workersService: YAMLTree {
        [
            "apiVersion": "v1", "kind": "Service", "metadata": metadata(coordinatorService),
            "spec": [
                "clusterIP": "None", "publishNotReadyAddresses": true, "selector": leader,
                "ports": [
                    port("control", deployment.controlPort), port("results", deployment.resultsPort),
                    port("weights", deployment.weightsPort),
                ],
            ],
        ]
    }

    private var httpServiceObject: YAMLTree {
        [
            "apiVersion": "v1", "kind": "Service", "metadata": metadata(httpService),
            "spec": ["type": "ClusterIP", "selector": leader, "ports": [port("http", deployment.httpPort)]],
        ]
    }

    private var leader: YAMLTree {
        ["leaderworkerset.sigs.k8s.io/name": .text(name), "leaderworkerset.sigs.k8s.io/worker-index": .text("0")]
    }

    private func port(_ name: String, _ number: Int) -> YAMLTree {
        ["name": .text(name), "port": .number(number), "targetPort": .number(number), "protocol": "TCP"]
    }

    var coordinatorSecret: String { "\(name)-coordinator-key" }
    var workersSecret: String { "\(name)-worker-keys" }

    /// Each worker's container sees its own key only: they are named by the numbers of the pods.
    static func keyName(_ index: String) -> String { "worker-\(index).key" }

    private var secrets: [YAMLTree] {
        let keys = deployment.keys
        let workers = deployment.workers.enumerated().map { index, worker in
            (
                Self.keyName("\(index + 1)"),
                key(keys.workers[worker.name], "\(worker.name).key", "worker \(worker.name)")
            )
        }
        return [
            secret(
                coordinatorSecret, [("coordinator.key", key(keys.coordinator, "coordinator.key", "the coordinator"))]),
            secret(workersSecret, workers),
        ]
    }

    private func key(_ pair: CurveKeyPair?, _ file: String, _ holder: String) -> YAMLTree {
        .text(pair.map { KeyFile.text(of: $0, for: holder) } ?? "REPLACE: the text of \(file)\n")
    }

    private func secret(_ name: String, _ entries: [(String, YAMLTree)]) -> YAMLTree {
        [
            "apiVersion": "v1", "kind": "Secret", "metadata": metadata(name), "type": "Opaque",
            "stringData": .mapping(entries),
        ]
    }
}
