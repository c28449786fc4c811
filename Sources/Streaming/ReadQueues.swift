/// The ways to read that this process has, made when they are first used. Belongs to one thread.
package final class ReadQueues {
    private let makeDirect: () -> any ReadQueue
    private let makeBuffered: () -> any ReadQueue
    private var queues: [ReadSettings.Method: any ReadQueue] = [:]
    private var underWay: [ReadSettings.Method: Int] = [:]

    /// The kernel's own where it has them, threads otherwise.
    package convenience init() {
        self.init(direct: {
            if let queue = UringQueue() { return queue }
            return ThreadQueue(threadCount: ReadSettings.depthMax)
        })
    }

    /// For tests: other queues.
    package init(
        direct: @escaping () -> any ReadQueue,
        buffered: @escaping () -> any ReadQueue = { ThreadQueue(threadCount: ReadSettings.bufferedDepthMax) }
    ) {
        makeDirect = direct
        makeBuffered = buffered
    }

    func start(_ read: FileRead, _ method: ReadSettings.Method) {
        let queue = queues[method] ?? (method == .direct ? makeDirect() : makeBuffered())
        queues[method] = queue
        underWay[method, default: 0] += 1
        queue.start(read)
    }

    /// Only while some reads are under way.
    func next() -> ReadEnd {
        guard let method = underWay.first(where: { $0.value > 0 })?.key, let queue = queues[method] else {
            preconditionFailure("some read is under way")
        }
        underWay[method, default: 0] -= 1
        return queue.next()
    }

    func nextEnded() -> ReadEnd? {
        for (method, count) in underWay where count > 0 {
            guard let end = queues[method]?.nextEnded() else { continue }
            underWay[method] = count - 1
            return end
        }
        return nil
    }
}
