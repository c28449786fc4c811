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

    /// What a worker's cache may take, in GiB: the whole model, as a plan may give any of it to a worker; 64 where its
    /// size is not known.
    static func cacheGiB(_ modelBytes: Int?) -> Int { max(1, ((modelBytes ?? 64 << 30) + (1 << 30) - 1) >> 30) }

    private static func quantity(_ bytes: Int) -> String {
        "\((bytes + (1 << 20) - 1) >> 20)Mi"
    }
}
