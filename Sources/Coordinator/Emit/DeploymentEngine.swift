/// What starts the processes of a cluster.
package enum DeploymentEngine: String, Sendable, Hashable, CaseIterable {
    case slurm
    case kubernetes
    case systemd
    case compose

    /// The files that make it start this cluster.
    package func files(for deployment: Deployment) throws(CoordinatorError) -> [EmittedFile] {
        try deployment.check()
        return switch self {
        case .slurm: try SlurmJob(deployment).files()
        case .kubernetes: try KubernetesManifests(deployment).files()
        case .systemd: try SystemdUnits(deployment).files()
        case .compose: try ComposeProject(deployment).files()
        }
    }

    /// What is still to be done before the files can be used, a line each.
    package func remarks(on deployment: Deployment) -> [String] {
        let missing =
            switch self {
            // The job makes its own.
            case .slurm: [String]()
            case .kubernetes, .compose:
                deployment.keys.missing(of: deployment.workers.map(\.name), needsSecrets: true)
            case .systemd: deployment.keys.missing(of: deployment.workers.map(\.name), needsSecrets: false)
            }
        let coordinator = deployment.configuration.coordinator
        guard coordinator.apiKeys != nil || coordinator.tls != nil else { return missing }
        return missing + [
            "coordinator.http: listens on loopback in these files, without coordinator.api_keys and coordinator.tls; "
                + "to reach it from elsewhere, bring the files there and add the three to the cluster.yaml among them"
        ]
    }
}
