import Sharding

/// The pods of a LeaderWorkerSet, unprivileged and with a read-only root.
struct KubernetesPods {
    private let manifests: KubernetesManifests
    private var deployment: Deployment { manifests.deployment }

    init(_ manifests: KubernetesManifests) { self.manifests = manifests }

    var set: YAMLTree {
        [
            "apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet",
            "metadata": manifests.metadata(manifests.name),
            "spec": [
                "replicas": 1, "startupPolicy": "LeaderCreated",
                "leaderWorkerTemplate": [
                    "size": .number(deployment.workers.count + 1), "restartPolicy": "None",
                    "leaderTemplate": pod("coordinator", coordinator, secret: manifests.coordinatorSecret),
                    "workerTemplate": pod("worker", worker, secret: manifests.workersSecret),
                ],
            ],
        ]
    }

    private func pod(_ role: String, _ container: YAMLTree, secret: String) -> YAMLTree {
        [
            "metadata": ["labels": ["app.kubernetes.io/component": .text(role)]],
            "spec": [
                "automountServiceAccountToken": false, "enableServiceLinks": false,
                "terminationGracePeriodSeconds": 60, "securityContext": podSecurity,
                "topologySpreadConstraints": [spread],
                "containers": [container], "volumes": volumes(secret: secret),
            ],
        ]
    }

    /// The group is the one that may read the keys.
    private var podSecurity: YAMLTree {
        let user = YAMLTree.number(DeploymentPlaces.userID)
        return [
            "runAsNonRoot": true, "runAsUser": user, "runAsGroup": user, "fsGroup": user,
            "seccompProfile": ["type": "RuntimeDefault"],
        ]
    }

    private var containerSecurity: YAMLTree {
        [
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": ["drop": ["ALL"]],
        ]
    }

    /// Pods of one group on different nodes, where there are enough.
    private var spread: YAMLTree {
        [
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": ["matchLabels": ["leaderworkerset.sigs.k8s.io/name": .text(manifests.name)]],
        ]
    }

    private var coordinator: YAMLTree {
        let ports = [
            ("control", deployment.controlPort), ("results", deployment.resultsPort),
            ("weights", deployment.weightsPort), ("http", deployment.httpPort),
        ]
        return [
            "name": "coordinator", "image": .text(deployment.image),
            "command": ["/bin/sh", .text("\(DeploymentPlaces.configuration)/coordinator.sh")],
            "env": [["name": "XDG_CACHE_HOME", "value": .text(DeploymentPlaces.cache)]],
            "ports": .list(ports.map { ["name": .text($0.0), "containerPort": .number($0.1)] }),
            // A large model takes a while to open; from then on a coordinator that does not answer is started again.
            "startupProbe": probe("health", period: 10, failures: 60),
            "livenessProbe": probe("health", period: 10, failures: 3),
            "readinessProbe": probe("ready", period: 5, failures: 1),
            "resources": KubernetesResources.coordinator, "securityContext": containerSecurity,
            "volumeMounts": .list(
                mounts + [mount("keys", KubernetesScripts.secrets), ["name": "run", "mountPath": "/run/shard"]]),
        ]
    }

    private func probe(_ path: String, period: Int, failures: Int) -> YAMLTree {
        [
            "exec": ["command": .texts(ContainerImage.probe(path, port: deployment.httpPort))],
            "periodSeconds": .number(period), "timeoutSeconds": 5, "failureThreshold": .number(failures),
        ]
    }

    private var worker: YAMLTree {
        [
            "name": "worker", "image": .text(deployment.image),
            "command": ["/bin/sh", .text("\(DeploymentPlaces.configuration)/worker.sh")],
            "env": [
                ["name": "XDG_CACHE_HOME", "value": .text(DeploymentPlaces.cache)],
                ["name": "POD_IP", "valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]],
            ],
            "ports": [["name": "data", "containerPort": .number(DeploymentPlaces.dataPort)]],
            "resources": KubernetesResources.workers(deployment.workers), "securityContext": containerSecurity,
            "volumeMounts": .list(
                mounts + [
                    [
                        "name": "keys", "mountPath": .text(KubernetesScripts.workerKey), "readOnly": true,
                        "subPathExpr": .text(KubernetesManifests.keyName("$(LWS_WORKER_INDEX)")),
                    ]
                ]),
        ]
    }

    private var mounts: [YAMLTree] {
        [
            mount("configuration", DeploymentPlaces.configuration), mount("models", DeploymentPlaces.models),
            ["name": "cache", "mountPath": .text(DeploymentPlaces.cache)],
        ]
    }

    private func mount(_ name: String, _ path: String) -> YAMLTree {
        ["name": .text(name), "mountPath": .text(path), "readOnly": true]
    }

    private func volumes(secret: String) -> YAMLTree {
        [
            ["name": "configuration", "configMap": ["name": .text(manifests.name)]],
            // Octal 0440: for the group above.
            ["name": "keys", "secret": ["secretName": .text(secret), "defaultMode": .number(0o440)]],
            [
                "name": "models",
                "persistentVolumeClaim": ["claimName": .text(deployment.modelsClaim), "readOnly": true],
            ],
            // More than the worker's own limit, as a pod that exceeds this one is ended.
            [
                "name": "cache",
                "emptyDir": ["sizeLimit": "\(KubernetesResources.cacheGiB(deployment.modelBytes) + 1)Gi"],
            ],
            ["name": "run", "emptyDir": ["medium": "Memory", "sizeLimit": "1Mi"]],
        ]
    }
}
