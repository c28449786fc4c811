import Sharding

/// What the containers run. Keys of a Secret belong to root and a group, which the programs refuse; so the
/// coordinator's is copied into a folder of its own in memory, and a worker reads its own from standard input.
enum KubernetesScripts {
    static let secrets = "/run/secrets/shard"
    static let workerKey = "\(secrets)/worker.key"
    static let keyFolder = "/run/shard/keys"

    static let coordinator = """
        # Runs in the coordinator's container.
        set -eu
        umask 077
        mkdir -p \(keyFolder)
        cat \(secrets)/coordinator.key >\(keyFolder)/coordinator.key
        exec shard-coordinator launch --config \(DeploymentPlaces.configuration)/cluster.yaml

        """

    /// LWS_WORKER_INDEX is 1 for the first worker; 0 is the leader.
    static func worker(_ manifests: KubernetesManifests) -> String {
        let deployment = manifests.deployment
        var cases = ""
        for (index, worker) in deployment.workers.enumerated() {
            var worker = worker
            // Paths of this machine mean nothing there.
            (worker.modelFolders, worker.cacheFolder, worker.cpus) = ([], nil, nil)
            let flags = WorkerFlags.flags(
                of: worker, models: [], device: KubernetesManifests.device(of: worker))
            cases += "\(index + 1)) set -- \(ShellText.words(["--name", worker.name] + flags)) ;;\n"
        }
        return """
            # Runs in the workers' containers: which one this is, the LeaderWorkerSet says by a number.
            set -eu
            case $LWS_WORKER_INDEX in
            \(cases)*)
                echo "worker $LWS_WORKER_INDEX: expected 1 to \(deployment.workers.count); size must be one more than that" >&2
                exit 2
                ;;
            esac
            case $POD_IP in *:*) POD_IP="[$POD_IP]" ;; esac
            if [ -d \(DeploymentPlaces.models) ]; then set -- "$@" --models \(DeploymentPlaces.models); fi
            exec shard-worker --coordinator tcp://\(manifests.coordinatorService):\(deployment.controlPort) \\
                --coordinator-key \(DeploymentPlaces.configuration)/coordinator.pub --key - \\
                --cache-size \(KubernetesResources.cacheGiB(deployment.modelBytes) << 30) \\
                --bind "tcp://$POD_IP:\(DeploymentPlaces.dataPort)" "$@" <\(workerKey)

            """
    }
}
