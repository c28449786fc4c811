import Sharding

/// Which workers share a node of a Slurm job: one each, but those on the GPUs `cuda:0`, `cuda:1`, … in a row together.
struct SlurmNodes {
    /// In the order of the configuration; at least one in each.
    let workers: [[WorkerSettings]]

    init(_ all: [WorkerSettings]) {
        var nodes: [[WorkerSettings]] = []
        for worker in all {
            let before = nodes.last?.last.flatMap(WorkerFlags.gpu)
            if let gpu = WorkerFlags.gpu(of: worker), let before, gpu > before {
                nodes[nodes.count - 1].append(worker)
            } else {
                nodes.append([worker])
            }
        }
        workers = nodes
    }

    var count: Int { workers.count }

    /// GPUs that every node must have; nil where none is used.
    var gpuCount: Int? { workers.joined().compactMap(WorkerFlags.gpu).max().map { $0 + 1 } }
}
