import Sharding

/// Deals the cores of machines among the workers that compute on them, so that no core has two threads while another
/// has none.
enum CoreDealing {
    struct Worker {
        var name: String
        var machine: String
        /// Cores that it may compute on.
        var cores: [Int]
        /// Threads that it has; fewer than cores where its container has a quota.
        var threadCount: Int
        /// Keeps its threads, whoever else computes there.
        var hasChosenThreads: Bool
    }

    /// Threads for each worker that is to use fewer than it has; at least 1.
    ///
    /// Those that chose their threads come first, each on the least used of its cores. The others take the free ones in
    /// turn, those that the fewest may use first. Workers that do not name their cores share with nobody.
    static func threadCounts(_ workers: [Worker]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for workers in Dictionary(grouping: workers, by: \.machine).values {
            counts.merge(onOneMachine(workers)) { $1 }
        }
        return counts
    }

    private static func onOneMachine(_ workers: [Worker]) -> [String: Int] {
        let sharing = workers.filter { !$0.hasChosenThreads && !$0.cores.isEmpty }
        let wanted = sharing.flatMap(\.cores).reduce(into: [:]) { $0[$1, default: 0] += 1 }
        var used: [Int: Int] = [:]
        for worker in workers where worker.hasChosenThreads {
            let leastUsed = worker.cores.sorted { (used[$0, default: 0], $0) < (used[$1, default: 0], $1) }
            for core in leastUsed.prefix(worker.threadCount) { used[core, default: 0] += 1 }
        }
        let free = sharing.map { worker in
            worker.cores.filter { used[$0] == nil }.sorted {
                (wanted[$0, default: 0], $0) < (wanted[$1, default: 0], $1)
            }
        }
        var taken = sharing.map { _ in 0 }
        var isDealing = true
        while isDealing {
            isDealing = false
            for (index, worker) in sharing.enumerated() where taken[index] < worker.threadCount {
                guard let core = free[index].first(where: { used[$0] == nil }) else { continue }
                used[core] = 1
                taken[index] += 1
                isDealing = true
            }
        }
        return zip(sharing, taken).reduce(into: [:]) { counts, dealt in
            let (worker, count) = dealt
            if count < worker.threadCount { counts[worker.name] = max(1, count) }
        }
    }
}

extension CoreDealing.Worker {
    init(_ hello: WorkerHello, machine: String) {
        self.init(
            name: hello.name, machine: machine, cores: hello.cores, threadCount: hello.threadCount,
            hasChosenThreads: hello.hasChosenThreads)
    }
}
