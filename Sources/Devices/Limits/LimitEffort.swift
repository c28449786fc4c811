/// How long the machine's limits are looked for.
package struct LimitEffort: Sendable, Hashable {
    /// Memory to read: more than caches hold.
    package var readBytes: Int
    /// Times that each loop runs and is timed.
    package var runCount: Int
    /// How long one run of a loop of products takes, about.
    package var runTime: Duration

    /// Some seconds for each count of threads.
    package static let full = LimitEffort(readBytes: 1 << 30, runCount: 5, runTime: .milliseconds(30))
    /// A fraction of a second, for a first look and for tests: the memory may fit into caches.
    package static let quick = LimitEffort(readBytes: 32 << 20, runCount: 2, runTime: .milliseconds(1))
}

/// What one loop reached, each time that it ran.
package struct LimitSamples: Sendable, Hashable {
    /// The loop: `four streams, 2 MiB pages`, `vpdpbusd zmm`.
    package var name: String
    /// Bytes or operations a second, one a run; not empty.
    package var perSecond: [Double]
}

/// What the machine reaches with a number of threads.
package struct ThreadLimitSamples: Sendable, Hashable {
    package var threads: Int
    /// Bytes a second that each way to read memory reached.
    package var reads: [LimitSamples]
    /// Operations a second on 8-bit integers; a multiplication and an addition count as two.
    package var integers: LimitSamples
    /// The same on f32.
    package var floats: LimitSamples
}
