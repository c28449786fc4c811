import ModelFiles

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Radians a position for each pair of dimensions, and the factor of sine and cosine.
///
/// Everything is f32, operation by operation as in transformers' `modeling_rope_utils.py`, so that angles at high
/// positions agree; powers are rounded to f32 from f64, which hides the differences between C libraries.
struct RotaryFrequencies {
    let values: [Float]
    private(set) var magnitude: Float = 1

    /// - Parameter factors: what a file keeps to divide each frequency by, `[dimensionCount ÷ 2]`.
    init(_ rope: RopeParameters, factors: [Float]? = nil) {
        let powers = (0..<rope.dimensionCount / 2).map { pair in
            Float(pow(Double(rope.base), Double(Float(2 * pair) / Float(rope.dimensionCount))))
        }
        var frequencies = powers.map { 1 / $0 }
        switch rope.scaling {
        case .none: break
        case .linear(let factor): frequencies = frequencies.map { $0 / factor }
        case .llama3(let factor, let low, let high, let original):
            frequencies = frequencies.map {
                Self.llama3($0, factor: factor, low: low, high: high, originalLength: Float(original))
            }
        case .yarn(let yarn):
            frequencies = Self.yarn(powers, yarn, rope)
            magnitude = yarn.attentionFactor ?? YarnScaling.usualAttentionFactor(yarn.factor)
        }
        if let factors { frequencies = zip(frequencies, factors).map { $0 / $1 } }
        values = frequencies
    }

    /// Long waves are stretched by the factor, short ones kept, those between mixed (Llama 3.1).
    private static func llama3(
        _ frequency: Float, factor: Float, low: Float, high: Float, originalLength: Float
    ) -> Float {
        let wavelength = 2 * Float.pi / frequency
        if wavelength > originalLength / low { return frequency / factor }
        if wavelength < originalLength / high { return frequency }
        let smooth = (originalLength / wavelength - low) / (high - low)
        return (1 - smooth) * frequency / factor + smooth * frequency
    }

    /// Dimensions that turn often keep their frequency, those that turn rarely are divided, a ramp lies between.
    private static func yarn(_ powers: [Float], _ yarn: YarnScaling, _ rope: RopeParameters) -> [Float] {
        let dimensions = Double(rope.dimensionCount)
        func dimension(turning turns: Float) -> Double {
            let length = Double(yarn.originalContextLength)
            return dimensions * log(length / (Double(turns) * 2 * Double.pi)) / (2 * log(Double(rope.base)))
        }
        var low = dimension(turning: yarn.betaFast)
        var high = dimension(turning: yarn.betaSlow)
        if yarn.isTruncated { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        low = max(low, 0)
        high = min(high, dimensions - 1)
        if low == high { high += 0.001 }
        return powers.enumerated().map { pair, power in
            let ramp = min(max((Float(pair) - Float(low)) / Float(high - low), 0), 1)
            let kept = 1 - ramp
            return 1 / (yarn.factor * power) * (1 - kept) + 1 / power * kept
        }
    }
}
