/// How an engine stands and what it has done since its start, for people and for monitors.
///
/// Counts and sums only grow while `run` stays the same. Points in time are seconds since the engine's start. A choice of
/// a request counts as a request here. `docs/http.md` has every field in words.
package struct EngineSnapshot: Sendable, Codable, Hashable {
    /// Names this life of the engine: another one begins its counts at 0.
    package var run = ""
    package var uptimeSeconds = 0.0
    package var isReady = false
    /// Why it is not ready, in one line.
    package var reason: String?
    package var requests = Requests()
    package var tokens = Tokens()
    package var times = Times()
    package var steps = Steps()
    package var epochs = Epochs()
    package var cache: Cache?
    /// Of the current plan, in the order of a step's way.
    package var stages: [Stage] = []
    package var workers: [Worker] = []
    package var links: [Link] = []
    package var recent = Recent()

    package init() {}

    package struct Requests: Sendable, Codable, Hashable {
        package var running = 0
        package var queued = 0
        package var queueMax = 0
        package var runningMax = 0
        /// Ended with an end token.
        package var stopped: UInt64 = 0
        /// Ended at their limit of tokens, or with a full context.
        package var limited: UInt64 = 0
        /// Ended with an embedding.
        package var embedded: UInt64 = 0
        /// Given up by whoever asked: a client that left, or a stop string that was found.
        package var cancelled: UInt64 = 0
        package var failed: UInt64 = 0
        /// Not taken in, by the code of the error.
        package var rejected: [String: UInt64] = [:]
        /// Times that a request which had begun was computed again.
        package var replayed: UInt64 = 0

        package init() {}
    }

    package struct Tokens: Sendable, Codable, Hashable {
        /// Of the prompts of requests that have begun.
        package var prompt: UInt64 = 0
        /// Of those, how many were not computed, as their state was there already.
        package var cached: UInt64 = 0
        package var generated: UInt64 = 0

        package init() {}
    }

    package struct Times: Sendable, Codable, Hashable {
        /// Upper bounds of the classes that all histograms here count in.
        package var boundsSeconds = TimeHistogram.boundsSeconds
        /// From a request's arrival to its place in the stages.
        package var queue = TimeHistogram()
        /// From a request's arrival to its first token.
        package var firstToken = TimeHistogram()
        package var betweenTokens = TimeHistogram()
        /// From a request's arrival to its end.
        package var request = TimeHistogram()

        package init() {}
    }

    package struct Steps: Sendable, Codable, Hashable {
        package var completed: UInt64 = 0
        /// Rows of the completed steps, and those of them that belong to prompts.
        package var rows: UInt64 = 0
        package var promptRows: UInt64 = 0
        package var inFlight = 0
        /// Age of the oldest in flight.
        package var oldestSeconds: Double?
        /// Sum over the completed steps of the time from sending to the result.
        package var inFlightSeconds = 0.0
        /// Part of that in which a stage computed the step; in the rest it waited or was on the wire.
        package var computeSeconds = 0.0
        /// Of all messages that carried the completed steps, over all hops.
        package var wireBytes: UInt64 = 0

        package init() {}
    }

    package struct Epochs: Sendable, Codable, Hashable {
        /// The plan that runs, or loads.
        package var current: UInt64?
        /// That became ready.
        package var started: UInt64 = 0
        /// That ended because something went wrong.
        package var faults: UInt64 = 0
        /// Why the last of those ended, and when.
        package var lastFault: String?
        package var lastFaultSeconds: Double?

        package init() {}
    }

    /// Blocks of the stages' caches; every stage holds the same ones for its layers.
    package struct Cache: Sendable, Codable, Hashable {
        package var blockPositions: Int
        package var blocks: Int
        package var freeBlocks: Int
        /// Held for requests that have ended, in case others begin alike.
        package var retainedBlocks: Int
        package var retainedSequences: Int

        package init(
            blockPositions: Int, blocks: Int, freeBlocks: Int, retainedBlocks: Int, retainedSequences: Int
        ) {
            self.blockPositions = blockPositions
            self.blocks = blocks
            self.freeBlocks = freeBlocks
            self.retainedBlocks = retainedBlocks
            self.retainedSequences = retainedSequences
        }
    }
}
