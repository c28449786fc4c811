import CKernels

/// A loop of products on registers, for all threads of a pool.
struct ProductLoop {
    let loop: shard_product_loop

    /// Tasks of each thread in a run: one that starts late leaves some of its own to the others.
    private static let tasksPerThread = 8
    private static let roundsFirst = 1000
    private static let roundsMax = 1 << 40

    var name: String { String(cString: loop.name) }

    /// Operations a second of all threads together, one figure a run.
    func measure(_ effort: LimitEffort, pool: ThreadPool) -> [Double] {
        var rounds = Self.roundsFirst
        // Also wakes the threads and, where clocks change with load, the clocks.
        while time(rounds: rounds, pool: pool) < effort.runTime, rounds < Self.roundsMax { rounds *= 2 }
        let operations = Double(rounds * loop.operation_count * taskCount(pool))
        return (0..<effort.runCount).map { _ in
            operations / max(time(rounds: rounds, pool: pool) / .seconds(1), 1e-9)
        }
    }

    private func taskCount(_ pool: ThreadPool) -> Int { pool.threadCount * Self.tasksPerThread }

    private func time(rounds: Int, pool: ThreadPool) -> Duration {
        let loop = loop
        return ContinuousClock().measure {
            pool.run(taskCount: taskCount(pool)) { _, _ in _ = loop.run(rounds) }
        }
    }
}
