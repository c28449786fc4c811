import Sharding

/// A compose project: coordinator and workers as containers of one machine, in a network of their own.
struct ComposeProject {
    private let deployment: Deployment
    private static let secrets = "/run/secrets"

    init(_ deployment: Deployment) { self.deployment = deployment }

    func files() throws(CoordinatorError) -> [EmittedFile] {
        [
            EmittedFile("compose.yaml", try YAMLTree.file(head: head, [project])),
            EmittedFile("cluster.yaml", try ClusterFile(configuration: configuration).text(head: clusterHead)),
            ContainerImage.dockerfile,
        ]
    }

    private var head: [String] {
        let user = deployment.userID
        return [
            "\(deployment.configuration.model.name) on \(deployment.workers.count) workers in containers of one machine, "
                + "made by shard-coordinator emit compose.",
            "",
            "Needs:  a tarball of scripts/package beside the Dockerfile;",
            "        \(deployment.modelFolder), readable by user \(user);",
            "        the .key files named under secrets, which belong to user \(user) and have mode 0600",
            "Start:  docker compose up --build --detach --wait     returns when it can answer",
            "Ask:    docker compose exec coordinator curl -s http://127.0.0.1:\(deployment.httpPort)/v1/models",
            "Stop:   docker compose down",
            "",
            "HTTP answers on the loopback of the coordinator's container only, as there are no API keys yet: a published",
            "port would not reach it. The network is internal: the containers reach each other and nothing else.",
        ]
    }

    private var clusterHead: [String] {
        ["For the coordinator's container; paths are of that. Made by shard-coordinator emit compose."]
            + deployment.keys.missing(of: deployment.workers.map(\.name), needsSecrets: false)
    }

    private var configuration: ClusterConfiguration {
        var configuration = deployment.configuration(
            host: "*", source: "\(DeploymentPlaces.models)/\(deployment.modelFile)", keyFolder: Self.secrets)
        for index in configuration.workers.indices {
            configuration.workers[index].host = nil
            configuration.workers[index].device = KubernetesManifests.device(of: configuration.workers[index])
        }
        return configuration
    }

    private var project: YAMLTree {
        let workers = deployment.workers.map { ("worker-\($0.name)", worker($0)) }
        let secrets = ["coordinator"] + deployment.workers.map(\.name)
        return [
            "name": .text(deployment.name), "services": .mapping([("coordinator", coordinator)] + workers),
            "networks": ["cluster": ["internal": true]],
            "secrets": .mapping(
                secrets.map { ("\($0).key", ["file": Self.literal("\(deployment.keys.folder)/\($0).key")]) }),
        ]
    }

    private var coordinator: YAMLTree {
        let file = "\(DeploymentPlaces.configuration)/cluster.yaml"
        let own: YAMLTree = [
            "build": .text("."), "command": .texts(["shard-coordinator", "launch", "--config", file]),
            "secrets": ["coordinator.key"], "volumes": [models, bind("./cluster.yaml", file)],
            "stop_grace_period": "60s",
            "healthcheck": [
                "test": .texts(["CMD"] + ContainerImage.probe("ready", port: deployment.httpPort)), "interval": "5s",
                "timeout": "5s", "retries": 3, "start_period": "10m",
            ],
        ]
        return own + common
    }

    private func worker(_ worker: WorkerSettings) -> YAMLTree {
        var settings = worker
        // Paths of this machine mean nothing in there.
        (settings.modelFolders, settings.cacheFolder) = ([], nil)
        let flags = WorkerFlags.flags(
            of: settings, models: [DeploymentPlaces.models], device: KubernetesManifests.device(of: worker))
        let command =
            [
                "shard-worker", "--coordinator", "tcp://coordinator:\(deployment.controlPort)", "--name", worker.name,
                "--key", "\(Self.secrets)/\(worker.name).key", "--coordinator-key",
                deployment.keys.coordinatorKey?.description ?? "REPLACE",
            ] + flags
        let own: YAMLTree = [
            "command": .list(command.map(Self.literal)), "secrets": [.text("\(worker.name).key")], "volumes": [models],
            "depends_on": ["coordinator": ["condition": "service_started"]],
            "mem_limit": worker.memoryBytes.map {
                .number($0.addingReportingOverflow(DeploymentPlaces.overheadBytes).partialValue)
            },
            "cpus": worker.threads.map { .number($0) },
            "deploy": WorkerFlags.gpu(of: worker).map { gpu in
                [
                    "resources": [
                        "reservations": [
                            "devices": [["driver": "nvidia", "device_ids": [.text("\(gpu)")], "capabilities": ["gpu"]]]
                        ]
                    ]
                ]
            },
        ]
        return own + common
    }

    /// Unprivileged, with a read-only root; what a process remembers lies in memory.
    private var common: YAMLTree {
        let user = deployment.userID
        return [
            "image": Self.literal(deployment.image), "user": .text("\(user):\(user)"), "read_only": true,
            "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "restart": "on-failure",
            "networks": ["cluster"], "environment": ["XDG_CACHE_HOME": .text(DeploymentPlaces.cache)],
            "tmpfs": [.text("\(DeploymentPlaces.cache):size=64m,mode=0700,uid=\(user),gid=\(user)")],
        ]
    }

    private var models: YAMLTree { bind(deployment.modelFolder, DeploymentPlaces.models) }

    private func bind(_ source: String, _ target: String) -> YAMLTree {
        ["type": "bind", "source": Self.literal(source), "target": .text(target), "read_only": true]
    }

    /// compose reads a dollar as the name of a variable.
    private static func literal(_ text: String) -> YAMLTree { .text(text.replacing("$", with: "$$")) }
}

extension YAMLTree {
    /// Two mappings in one.
    static func + (left: YAMLTree, right: YAMLTree) -> YAMLTree {
        guard case .mapping(let first) = left, case .mapping(let second) = right else { return left }
        return .mapping(first + second)
    }
}
