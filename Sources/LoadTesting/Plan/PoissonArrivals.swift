import Foundation

/// When requests of an open loop are due, counted from its start: a Poisson process, in which a request comes no matter how
/// the ones before it fare. It has no end.
package struct PoissonArrivals: Sequence, IteratorProtocol, Sendable {
    private let rate: Double
    private var random: SplitMix64
    private var seconds = 0.0

    /// - Parameter rate: requests a second, positive.
    package init(rate: Double, seed: UInt64) {
        precondition(rate > 0, "arrivals have a rate")
        self.rate = rate
        random = SplitMix64(seed, 0x4152_5249_5645)
    }

    package mutating func next() -> Duration? {
        seconds += -log(random.nextUnit()) / rate
        return .seconds(seconds)
    }
}
