extension EngineSnapshot {
    /// A stage of the current plan, with what it computed in all epochs in which it was this worker's.
    package struct Stage: Sendable, Codable, Hashable {
        package var index: Int
        package var worker: String
        /// `0-5 + head`.
        package var units: String
        /// Time that it computed, a step each.
        package var compute = TimeHistogram()
        package var rows: UInt64 = 0

        package init(index: Int, worker: String, units: String) {
            self.index = index
            self.worker = worker
            self.units = units
        }
    }

    package struct Worker: Sendable, Codable, Hashable {
        package enum State: String, Sendable, Codable, Hashable {
            case absent, joined, loading, loaded, active
        }

        package var name: String
        package var state: State
        /// Why it is absent, where that is known.
        package var reason: String?
        package var device: String?
        package var threads: Int?
        package var process: Int32?
        /// `0-5 + head`; empty without a part in the plan.
        package var units = ""
        /// Of its weights, while it loads.
        package var loadedBytes: UInt64?
        package var totalBytes: UInt64?
        /// What its part of the plan takes, and what it may take.
        package var neededBytes: UInt64?
        package var limitBytes: UInt64?
        /// Of its machine, as its last heartbeat said.
        package var memoryTotalBytes: UInt64?
        package var memoryAvailableBytes: UInt64?
        /// Since anything was heard of it.
        package var silentSeconds: Double?
        package var stepsCompleted: UInt64?
        /// Times that its process was started again.
        package var restarts: UInt64 = 0

        package init(name: String, state: State) {
            self.name = name
            self.state = state
        }
    }

    /// A hop of the current plan; an empty name is the coordinator.
    package struct Link: Sendable, Codable, Hashable {
        package var from: String
        package var to: String
        package var roundTripSeconds: Double
        package var bytesPerSecond: Double
        /// Otherwise it is what such ways usually give.
        package var isMeasured: Bool

        package init(from: String, to: String, roundTripSeconds: Double, bytesPerSecond: Double, isMeasured: Bool) {
            self.from = from
            self.to = to
            self.roundTripSeconds = roundTripSeconds
            self.bytesPerSecond = bytesPerSecond
            self.isMeasured = isMeasured
        }
    }

    /// What the stages did in the last seconds; when each began to compute is derived, not measured.
    package struct Recent: Sendable, Codable, Hashable {
        package var binSeconds = 0.0
        /// End of the last bin.
        package var endSeconds = 0.0
        /// For each stage, the part of each bin in which it computed, the oldest first; 0 to 1.
        package var busy: [[Double]] = []
        /// Tokens that were generated in each bin.
        package var tokens: [Int] = []
        /// The last steps, the oldest first.
        package var steps: [Step] = []

        package init() {}
    }

    package struct Step: Sendable, Codable, Hashable {
        package var id: UInt64
        package var rows: Int
        package var promptRows: Int
        package var sentSeconds: Double
        package var arrivedSeconds: Double
        /// When each stage began to compute it, and for how long.
        package var startSeconds: [Double]
        package var computeSeconds: [Double]

        package init(
            id: UInt64, rows: Int, promptRows: Int, sentSeconds: Double, arrivedSeconds: Double,
            startSeconds: [Double], computeSeconds: [Double]
        ) {
            self.id = id
            self.rows = rows
            self.promptRows = promptRows
            self.sentSeconds = sentSeconds
            self.arrivedSeconds = arrivedSeconds
            self.startSeconds = startSeconds
            self.computeSeconds = computeSeconds
        }
    }
}
