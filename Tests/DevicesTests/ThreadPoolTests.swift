import Synchronization
import Testing

@testable import Devices

@Suite("Thread pool")
struct ThreadPoolTests {
    @Test("every task runs once, whatever the counts", arguments: [1, 2, 3, 8])
    func everyTaskOnce(threads: Int) throws {
        let pool = try ThreadPool(threadCount: threads, cpus: [])
        for taskCount in [0, 1, 2, 7, 100, 1000] {
            let runs = Counters(taskCount)
            pool.run(taskCount: taskCount) { task, thread in
                runs.add(task)
                if thread < 0 || thread >= threads { runs.add(task) }
            }
            #expect(runs.values == Array(repeating: 1, count: taskCount))
        }
    }

    @Test("thousands of short calls follow each other")
    func manyCalls() throws {
        let pool = try ThreadPool(threadCount: 3, cpus: [])
        let runs = Counters(4)
        for _ in 0..<5000 { pool.run(taskCount: 4) { task, _ in runs.add(task) } }
        #expect(runs.values == Array(repeating: 5000, count: 4))
    }

    @Test("a core that does not exist is refused")
    func unknownCore() {
        #expect(throws: DeviceError.self) { _ = try ThreadPool(threadCount: 1, cpus: [100_000]) }
    }
}

/// Counts from several threads.
private final class Counters: Sendable {
    private let counts: Mutex<[Int]>

    init(_ count: Int) { counts = Mutex(Array(repeating: 0, count: count)) }

    func add(_ index: Int) { counts.withLock { $0[index] += 1 } }
    var values: [Int] { counts.withLock { $0 } }
}
