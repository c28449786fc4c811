import Glibc
import Threads

/// Reads by a few threads that wait for them: for buffered reads, and where there is no io_uring.
final class ThreadQueue: ReadQueue {
    /// Safe to hand over although not checked: `target` belongs to the read until it has ended.
    private struct Order: @unchecked Sendable {
        let read: FileRead
    }

    private struct State {
        var orders: [Order] = []
        var ends: [ReadEnd] = []
        var isClosed = false
    }

    private let state = Monitor(State())
    private let threads: [OwnedThread]

    init(threadCount: Int) {
        threads = (0..<threadCount).map { [state] index in
            OwnedThread(name: "shard-read-\(index)") {
                while let order = Self.nextOrder(state) {
                    let result = Self.perform(order.read)
                    state.withLock { $0.ends.append(ReadEnd(id: order.read.id, result: result)) }
                }
            }
        }
    }

    deinit {
        state.withLock { $0.isClosed = true }
        for thread in threads { thread.join() }
    }

    func start(_ read: FileRead) {
        let order = Order(read: read)
        state.withLock { $0.orders.append(order) }
    }

    func next() -> ReadEnd {
        state.wait { $0.ends.isEmpty ? nil : $0.ends.removeFirst() }
    }

    func nextEnded() -> ReadEnd? {
        state.withLock { $0.ends.isEmpty ? nil : $0.ends.removeFirst() }
    }

    /// The oldest; nil when the queue is gone, those that are left are done before.
    private static func nextOrder(_ state: Monitor<State>) -> Order? {
        state.wait { state -> Order?? in
            if !state.orders.isEmpty { return state.orders.removeFirst() }
            return state.isClosed ? .some(nil) : nil
        }
    }

    private static func perform(_ read: FileRead) -> Int {
        while true {
            let count = pread(read.descriptor, read.target, read.byteCount, off_t(read.offset))
            if count >= 0 { return count }
            if errno != EINTR { return -Int(errno) }
        }
    }
}
