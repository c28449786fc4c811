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
        switch self {
        // The job makes its own.
        case .slurm: []
        case .kubernetes, .compose:
            deployment.keys.missing(of: deployment.workers.map(\.name), needsSecrets: true)
        case .systemd: deployment.keys.missing(of: deployment.workers.map(\.name), needsSecrets: false)
        }
    }
}
