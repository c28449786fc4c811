import Sharding

/// What pods ask for, from the workers' `memory` and `threads`. All workers' pods are alike, so each gets what the
/// largest needs.
enum KubernetesResources {
    /// It holds no layers: tokenizer, embedding table (mapped), buffers.
    static let coordinator: YAMLTree = [
        "requests": ["cpu": .text("1"), "memory": "1Gi"], "limits": ["memory": "4Gi"],
    ]

    /// A quantity is left out where the settings say nothing of it.
    static func workers(_ workers: [WorkerSettings]) -> YAMLTree {
        let memory = workers.compactMap(\.memoryBytes).max().map { bytes in
            YAMLTree.text(quantity(bytes.addingReportingOverflow(DeploymentPlaces.overheadBytes).partialValue))
        }
        let cpu = workers.compactMap { $0.threads ?? $0.cpus?.count }.max().map { YAMLTree.text("\($0)") }
        let gpu: YAMLTree? = workers.contains { WorkerFlags.gpu(of: $0) != nil } ? .text("1") : nil
        return [
            "requests": ["cpu": cpu, "memory": memory],
            "limits": ["cpu": cpu, "memory": memory, "nvidia.com/gpu": gpu],
        ]
    }

    /// Room for the whole model, as a plan may give any of it to a worker; 64 GiB where its size is not known.
    static func cacheLimit(_ modelBytes: Int?) -> String {
        let bytes = modelBytes ?? 64 << 30
        return "\(max(1, (bytes + (1 << 30) - 1) >> 30))Gi"
    }

    private static func quantity(_ bytes: Int) -> String {
        "\((bytes + (1 << 20) - 1) >> 20)Mi"
    }
}
