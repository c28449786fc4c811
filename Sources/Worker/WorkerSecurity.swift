import ZeroMQ

/// Who a worker is, and the one coordinator that it obeys.
package struct WorkerSecurity: Sendable {
    package var keys: CurveKeyPair
    package var coordinator: CurvePublicKey

    package init(keys: CurveKeyPair, coordinator: CurvePublicKey) {
        self.keys = keys
        self.coordinator = coordinator
    }
}
