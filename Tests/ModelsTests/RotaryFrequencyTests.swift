import Testing

@testable import ModelFiles
@testable import Models

@Suite("Rotary frequencies")
struct RotaryFrequencyTests {
    private func expectClose(_ values: [Float], _ expected: [Float]) {
        #expect(values.count == expected.count)
        for (value, reference) in zip(values, expected) {
            #expect(abs(value - reference) <= 2e-7 * abs(reference), "\(value) for \(reference)")
        }
    }

    // Expected values: the formulas of transformers, evaluated with NumPy in float32.
    @Test("llama3 scaling keeps short waves, stretches long ones, and mixes between")
    func llama3() {
        let scaling = RopeParameters.Scaling.llama3(
            factor: 4, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 96)
        let frequencies = RotaryFrequencies(RopeParameters(base: 50_000, dimensionCount: 32, scaling: scaling))
        expectClose(
            frequencies.values,
            [
                1.0, 0.5085274577140808, 0.25544002652168274, 0.06605681777000427, 0.017082300037145615,
                0.008501819334924221, 0.0043234084732830524, 0.0021985715720802546, 0.0011180340079590678,
                0.0005685508949682117, 0.00028912373818457127, 0.00014702735643368214, 7.47674421290867e-05,
                3.80212914024014e-05, 1.933486964844633e-05, 9.832311661739368e-06,
            ])
        #expect(frequencies.magnitude == 1)
    }

    @Test("YaRN mixes frequencies along its ramp and scales sine and cosine")
    func yarn() {
        var yarn = YarnScaling(
            factor: 4, originalContextLength: 256, betaFast: 32, betaSlow: 1, attentionFactor: nil, isTruncated: true)
        let truncated = RotaryFrequencies(RopeParameters(base: 10_000, dimensionCount: 16, scaling: .yarn(yarn)))
        expectClose(
            truncated.values,
            [
                1.0, 0.2569350600242615, 0.0625, 0.013834965415298939, 0.0024999999441206455, 0.0007905694656074047,
                0.0002500000118743628, 7.905694656074047e-05,
            ])
        expectClose([truncated.magnitude], [1.138629436111989])
        yarn.isTruncated = false
        yarn.attentionFactor = 1.5
        let exact = RotaryFrequencies(RopeParameters(base: 1_000_000, dimensionCount: 16, scaling: .yarn(yarn)))
        expectClose(
            exact.values,
            [
                1.0, 0.12066669762134552, 0.00963994488120079, 0.0014058533124625683, 0.0002500000118743628,
                4.4456985051510856e-05, 7.905693564680405e-06, 1.405853367941745e-06,
            ])
        #expect(exact.magnitude == 1.5)
    }

    @Test("linear scaling divides every frequency, and partial rotation has fewer of them")
    func linear() {
        let plain = RotaryFrequencies(RopeParameters(base: 10_000, dimensionCount: 8, scaling: .none))
        let divided = RotaryFrequencies(RopeParameters(base: 10_000, dimensionCount: 8, scaling: .linear(factor: 2)))
        expectClose(plain.values, [1, 0.1, 0.01, 0.001])
        #expect(divided.values == plain.values.map { $0 / 2 })
    }

    @Test("factors kept in a GGUF file give the frequencies that the configuration describes")
    func factorsOfFile() throws {
        let computed = try ModelSpec(describing: ModelFile.open(Fixtures.model("llama")))
        let stored = try ModelSpec(describing: ModelFile.open(Fixtures.model("llama", "llama-f16.gguf")))
        let expected = try #require(computed.layers[0].attention.rotary?.frequencies)
        let frequencies = try #require(stored.layers[0].attention.rotary?.frequencies)
        for (value, reference) in zip(frequencies, expected) {
            #expect(abs(value - reference) <= 1e-6 * reference)
        }
    }
}
