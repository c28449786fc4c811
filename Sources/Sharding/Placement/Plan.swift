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
        /// Predicted time that one token takes here.
        package var secondsPerToken: Double
    }

    package var policy: PlacementPolicy
    /// In the order in which a step visits them; the last includes the head.
    package var stages: [Stage]
    /// One for each worker with a stage, in the order of the configuration.
    package var shares: [Share]
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
        /// Many sequences, all stages busy.
        package var pipelinedTokensPerSecond: Double
    }

    package func stageIndices(of worker: String) -> [Int] {
        stages.indices.filter { stages[$0].worker == worker }
    }
}
