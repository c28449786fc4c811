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

    /// Speed of generation, from bytes and measured rates.
    package struct Prediction: Sendable, Hashable {
        package var worker: String?
        /// One sequence alone.
        package var tokensPerSecond: Double
        /// As many sequences as there may be, all stages as busy as those keep them.
        package var pipelinedTokensPerSecond: Double
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

    package func stageIndices(of worker: String) -> [Int] {
        stages.indices.filter { stages[$0].worker == worker }
    }
}
