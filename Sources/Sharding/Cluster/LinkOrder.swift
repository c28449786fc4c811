import ZeroMQ

/// The order to measure the ways to other ends, before layers are dealt out.
package struct LinkOrder: Sendable, Hashable {
    package struct Target: Sendable, Hashable {
        /// A worker's name; empty stands for the coordinator.
        package var name: String
        /// Of its data socket; a wildcard stands for the machine of the coordinator.
        package var endpoint: String
        /// nil without encryption.
        package var key: CurvePublicKey?

        package init(name: String, endpoint: String, key: CurvePublicKey? = nil) {
            self.name = name
            self.endpoint = endpoint
            self.key = key
        }
    }

    /// Told apart from earlier ones by this; the answer repeats it.
    package var number: UInt64
    /// Empty in an order that only admits.
    package var targets: [Target]
    /// Keys of those that may connect until the next load; empty without encryption.
    package var admittedKeys: [CurvePublicKey]

    package init(number: UInt64, targets: [Target] = [], admittedKeys: [CurvePublicKey] = []) {
        self.number = number
        self.targets = targets
        self.admittedKeys = admittedKeys
    }
}

/// What came of a ``LinkOrder``.
package struct LinkFindings: Sendable, Hashable {
    package struct Result: Sendable, Hashable {
        package var name: String
        package var finding: LinkTable.Finding

        package init(name: String, finding: LinkTable.Finding) {
            self.name = name
            self.finding = finding
        }
    }

    package var number: UInt64
    package var results: [Result]

    package init(number: UInt64, results: [Result] = []) {
        self.number = number
        self.results = results
    }
}

/// A stage's way to the next one, or to the coordinator's results.
package struct MeasuredLink: Sendable, Hashable {
    package var epoch: Epoch
    package var stage: Int
    package var estimate: LinkEstimate

    package init(epoch: Epoch, stage: Int, estimate: LinkEstimate) {
        self.epoch = epoch
        self.stage = stage
        self.estimate = estimate
    }
}
