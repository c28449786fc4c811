import CLinux
import Glibc
import Synchronization

/// A fixed set of threads that share the tasks of one call at a time; the caller is one of them.
///
/// Each thread has a run of consecutive tasks, so that it reads one stretch of memory, and takes them one by one; when its own
/// are done it takes others'. So a thread that waits for its core holds nobody up for more than a task, and what tasks
/// compute must not depend on their thread or order. Between calls the threads spin for some microseconds, then park.
final class ThreadPool {
    let threadCount: Int
    private let shared: Shared
    private var threads: [pthread_t] = []

    /// - Parameters:
    ///   - threadCount: the caller and `threadCount` − 1 more.
    ///   - cpus: cores to pin to, thread i to the i-th (again from the first when there are fewer); empty pins none.
    init(threadCount: Int, cpus: [Int]) throws(DeviceError) {
        self.threadCount = max(1, threadCount)
        shared = Shared(threadCount: self.threadCount)
        if let first = cpus.first { try pinCurrentThread(to: first) }
        for index in 1..<max(2, self.threadCount) where index < self.threadCount {
            let start = WorkerStart(shared: shared, index: index, cpu: cpus.isEmpty ? nil : cpus[index % cpus.count])
            var thread = pthread_t()
            let argument = Unmanaged.passRetained(start)
            let status = pthread_create(&thread, nil, runWorker, argument.toOpaque())
            guard status == 0 else {
                argument.release()
                stop()
                throw DeviceError(.unavailable, place: "cpu", "thread \(index) cannot start (error \(status))")
            }
            threads.append(thread)
        }
    }

    deinit { stop() }

    /// Calls `body(task, thread)` for every task in `0..<taskCount`; returns when all are done.
    func run(taskCount: Int, _ body: (_ task: Int, _ thread: Int) -> Void) {
        guard threadCount > 1, taskCount > 1 else {
            for task in 0..<taskCount { body(task, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            shared.begin(taskCount: taskCount, body)
            shared.runTasks(thread: 0)
            shared.waitForWorkers()
        }
    }

    private func stop() {
        shared.stop()
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }
}

private final class WorkerStart {
    let shared: Shared
    let index: Int
    let cpu: Int?

    init(shared: Shared, index: Int, cpu: Int?) {
        self.shared = shared
        self.index = index
        self.cpu = cpu
    }
}

private func runWorker(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<WorkerStart>.fromOpaque(argument).takeRetainedValue()
    shard_thread_set_name("shard-cpu-\(start.index)")
    // A core that has gone since the list was checked costs speed, not correctness.
    if let cpu = start.cpu { try? pinCurrentThread(to: cpu) }
    start.shared.work(thread: start.index)
    return nil
}

private func pinCurrentThread(to cpu: Int) throws(DeviceError) {
    guard shard_thread_pin(Int32(clamping: cpu)) == 0 else {
        throw DeviceError(.unsupported, place: "cpus", "expected a core that this process may use, got \(cpu)")
    }
}

/// What the threads share: the tasks of the current call, and where idle threads wait.
///
/// Safe although not checked: `body` and `taskCount` are written only while no worker runs tasks, and handed over by
/// the release of `generation` and the acquire of whoever sees it change.
private final class Shared: @unchecked Sendable {
    /// Looks at a value before a thread parks, 20 to 50 ns each: longer than what one thread does alone between products,
    /// as waking it takes about as long.
    private static let spinsMax = 3000

    private var body: (Int, Int) -> Void = { _, _ in }
    private var taskCount = 0
    private let threadCount: Int
    /// For each thread the next of its own tasks, cache lines apart.
    private let nextTasks: UnsafeMutablePointer<Atomic<Int>>
    /// Counters in two cache lines: the processor fetches neighbours in pairs.
    private static let countersApart = 16
    private let generation = Atomic<Int>(0)
    private let busyWorkers = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(threadCount: Int) {
        self.threadCount = threadCount
        nextTasks = .allocate(capacity: threadCount * Self.countersApart)
        for index in 0..<threadCount * Self.countersApart { (nextTasks + index).initialize(to: Atomic(0)) }
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
        nextTasks.deinitialize(count: threadCount * Self.countersApart)
        nextTasks.deallocate()
    }

    func begin(taskCount: Int, _ body: @escaping (Int, Int) -> Void) {
        self.body = body
        self.taskCount = taskCount
        for thread in 0..<threadCount { next(of: thread).pointee.store(first(of: thread), ordering: .relaxed) }
        busyWorkers.store(threadCount - 1, ordering: .relaxed)
        generation.add(1, ordering: .releasing)
        wakeAll()
    }

    /// Kept out of line so that no reference to `body` outlives the call.
    @inline(never)
    func runTasks(thread: Int) {
        for offset in 0..<threadCount {
            let owner = (thread + offset) % threadCount
            let end = first(of: owner + 1)
            while true {
                let task = next(of: owner).pointee.add(1, ordering: .relaxed).oldValue
                if task >= end { break }
                body(task, thread)
            }
        }
    }

    private func next(of thread: Int) -> UnsafeMutablePointer<Atomic<Int>> { nextTasks + thread * Self.countersApart }
    /// The first of a thread's own tasks.
    private func first(of thread: Int) -> Int { taskCount * thread / threadCount }

    func waitForWorkers() {
        wait { busyWorkers.load(ordering: .acquiring) == 0 }
        body = { _, _ in }
    }

    func work(thread: Int) {
        var seen = 0
        while true {
            wait { generation.load(ordering: .acquiring) != seen || isStopping.load(ordering: .acquiring) }
            if isStopping.load(ordering: .acquiring) { return }
            seen += 1
            runTasks(thread: thread)
            if busyWorkers.subtract(1, ordering: .releasing).newValue == 0 { wakeAll() }
        }
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeAll()
    }

    private func wait(until isDone: () -> Bool) {
        for _ in 0..<Self.spinsMax {
            if isDone() { return }
            shard_spin_pause()
        }
        pthread_mutex_lock(mutex)
        while !isDone() { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// Takes the lock, so that a thread between its look and its wait is not missed.
    private func wakeAll() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}
