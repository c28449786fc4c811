import Coordinator
import Devices
import Foundation
import Sharding
import Testing

/// Worker processes that nobody gave a count of threads.
@Suite("Shared cores", .timeLimit(.minutes(2)))
struct SharedCoresTests {
    /// Threads of a process that compute steps: the step thread, and those of its device.
    private static func computeThreads(of process: Int32) throws -> Int {
        let tasks = "/proc/\(process)/task"
        let names = try FileManager.default.contentsOfDirectory(atPath: tasks).map {
            (try? String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8)) ?? ""
        }
        return 1 + names.count { $0.hasPrefix("shard-cpu-") }
    }

    @Test("two workers on this machine divide its cores, in what they are told and in what they run")
    func divided() async throws {
        let workers = [WorkerSettings(local: "a"), WorkerSettings(local: "b")]
        try await RunningCluster.with(Paths.demo, RunningCluster.options(workers: workers)) { cluster in
            let status = await cluster.service.status
            let cores = MachineFiles().coreCount
            let expected = cores > 1 ? [(cores + 1) / 2, cores / 2] : [1, 1]
            #expect(status.workers.map(\.threadCount) == expected)
            let running = try status.workers.compactMap(\.processID).map(Self.computeThreads)
            #expect(running == expected)
        }
    }
}
