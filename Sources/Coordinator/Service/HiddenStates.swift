/// Hidden states of a step, `[rows, hiddenSize]`, f32, row-major: written once, then read by whoever sends them.
final class HiddenStates: Sendable {
    /// Safe to share: `init` writes it before anybody else sees it, then it is only read; freed with its owner.
    private nonisolated(unsafe) let floats: UnsafeMutableBufferPointer<Float>

    init<Failure: Error>(
        count: Int, _ fill: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        floats = .allocate(capacity: count)
        do {
            try fill(floats)
        } catch {
            floats.deallocate()
            throw error
        }
    }

    deinit { floats.deallocate() }

    /// Valid as long as this object lives.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(floats) }
}
