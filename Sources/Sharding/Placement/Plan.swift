/// Which worker computes which layers: what a placement decides, before it is given an epoch.
package struct Plan: Sendable, Hashable {
    package struct Stage: Sendable, Hashable {
        package var worker: String
        /// Empty for a stage that is the head alone.
        package var layers: Range<Int>
        package var includesHead: Bool

        package init(worker: String, layers: Range<Int>, includesHead: Bool) {
            self.worker = worker
            self.layers = layers
            self.includesHead = includesHead
        }

        /// `0-11 + head`.
        package var units: String {
            let layers =
                switch self.layers.count {
                case 0: ""
                case 1: "\(self.layers.lowerBound)"
                default: "\(self.layers.lowerBound)-\(self.layers.upperBound - 1)"
                }
            return layers.isEmpty ? "head" : includesHead ? layers + " + head" : layers
        }
    }

    /// A worker's part, for the table that people read.
    package struct Share: Sendable, Hashable {
        package var worker: String
        package var device: String
        /// Its stages in order: `0-5`, or `0, 2, 4` in a ring.
        package var units: String
        package var layerCount: Int
        package var need: MemoryNeed
        package var limitBytes: Int
        /// Weights that are read from disk for each token; nil for a worker that holds all of its weights.
        package var streamedBytes: Int?
        /// Predicted time that one token takes here.
        package var secondsPerToken: Double
    }

    /// A step's way to its next stage, or back to the coordinator.
    package struct Hop: Sendable, Hashable {
        /// Workers' names; empty stands for the coordinator.
        package var from: String
        package var to: String
        package var estimate: LinkEstimate
        /// Otherwise it is what such ways usually are.
        package var isMeasured: Bool

        /// `a > coordinator`.
        package var ends: String { "\(Self.named(from)) > \(Self.named(to))" }

        private static func named(_ end: String) -> String { end.isEmpty ? "coordinator" : end }
    }

    package var policy: PlacementPolicy
    /// In the order in which a step visits them; the last includes the head.
    package var stages: [Stage]
    /// One for each worker with a stage, in the order of the configuration.
    package var shares: [Share]
    /// From the coordinator to the first stage, from each stage to the next, and from the last one back.
    package var hops: [Hop]
    /// Workers that got nothing, and why, one line each.
    package var leftOut: [String]
    package var prediction: Prediction
    /// What the fastest worker would do alone; nil where no worker can hold the model.
    package var alone: Prediction?

    /// Speed, from what was measured of the workers and the ways between them.
    package struct Prediction: Sendable, Hashable {
        package var worker: String?
        /// One sequence alone.
        package var tokensPerSecond: Double
        /// Eight sequences together, or as many as there may be.
        package var eightTokensPerSecond: Double
        /// As many sequences as there may be, together.
        package var pipelinedTokensPerSecond: Double
        /// A prompt of 512 tokens that has the cluster to itself.
        package var promptTokensPerSecond: Double
    }

    /// Time that a step takes at most if all goes as predicted: of each row it moves the hidden state over every hop.
    ///
    /// - Parameter rowBytes: of a hidden state.
    package func seconds(ofRows count: Int, rowBytes: Int) -> Double {
        let bytes = saturatingProduct(count, rowBytes)
        let passes = max(1, Double(count) / Placement.promptRowsPerPass)
        return hops.reduce(0) { $0 + $1.estimate.seconds(ofBytes: bytes) }
            + shares.reduce(0) { $0 + passes * $1.secondsPerToken }
    }

    /// Rows of a prompt that pass several workers together: with larger chunks, to fill them and to drain them costs more.
    /// Two workers of one thread each take a prompt of 512 fastest in chunks of 32 to 48 rows.
    static let sharedChunkRows = 48

    /// Rows of a chunk of a prompt that has the stages to itself. Where weights are read from disk for each chunk, and where
    /// one worker does all, as many as a step may have.
    package var promptChunkRows: Int {
        Self.promptChunkRows(workerCount: shares.count, streams: shares.contains { ($0.streamedBytes ?? 0) > 0 })
    }

    static func promptChunkRows(workerCount: Int, streams: Bool) -> Int {
        workerCount > 1 && !streams ? sharedChunkRows : .max
    }

    package func stageIndices(of worker: String) -> [Int] {
        stages.indices.filter { stages[$0].worker == worker }
    }
}
