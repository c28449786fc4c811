import Devices

/// What this machine can do at most with some number of threads.
package struct ThreadLimits: Sendable, Hashable, Codable {
    /// The best that one of several loops reached.
    package struct Limit: Sendable, Hashable, Codable {
        /// Bytes or operations a second.
        package var perSecond: Spread
        /// The loop: `four streams, 2 MiB pages`, `vpdpbusd zmm`.
        package var loop: String

        package init(perSecond: Spread, loop: String) {
            self.perSecond = perSecond
            self.loop = loop
        }
    }

    package var threads: Int
    /// Bytes read from memory.
    package var read: Limit
    /// Operations on 8-bit integers; a multiplication and an addition count as two.
    package var integer: Limit
    /// The same on f32.
    package var float: Limit

    package init(threads: Int, read: Limit, integer: Limit, float: Limit) {
        self.threads = threads
        self.read = read
        self.integer = integer
        self.float = float
    }

    package init(_ samples: ThreadLimitSamples) {
        self.init(
            threads: samples.threads, read: Self.best(samples.reads), integer: Self.best([samples.integers]),
            float: Self.best([samples.floats]))
    }

    /// The loop with the highest median.
    private static func best(_ loops: [LimitSamples]) -> Limit {
        let all = loops.map { Limit(perSecond: Spread($0.perSecond), loop: $0.name) }
        guard let best = all.max(by: { $0.perSecond.median < $1.perSecond.median }) else {
            preconditionFailure("a limit is measured with at least one loop")
        }
        return best
    }

    /// What part of the speed that memory and cores allow was reached, and which of the two is the closer limit.
    package func share(of work: Work, seconds: Double) -> LimitShare {
        let readSeconds = work.bytes / read.perSecond.median
        let integerSeconds = work.integerOperations / integer.perSecond.median
        let floatSeconds = work.floatOperations / float.perSecond.median
        if readSeconds >= integerSeconds + floatSeconds {
            return LimitShare(share: readSeconds / seconds, limit: .read)
        }
        return LimitShare(
            share: (integerSeconds + floatSeconds) / seconds,
            limit: integerSeconds >= floatSeconds ? .integer : .float)
    }
}

/// How close a test came to a limit of the machine.
package struct LimitShare: Sendable, Hashable {
    package enum Limit: String, Sendable, Hashable, Codable {
        case read, integer, float
    }

    /// The time that the limit alone would take ÷ the time that it took. Above 1 where the work fits into caches.
    package var share: Double
    package var limit: Limit

    package init(share: Double, limit: Limit) {
        self.share = share
        self.limit = limit
    }
}
