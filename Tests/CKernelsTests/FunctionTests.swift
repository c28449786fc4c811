import CKernels
import Foundation
import Testing

@Suite("Elementary functions")
struct FunctionTests {
    struct Function: Sendable, CustomStringConvertible {
        let name: String
        let inputs: ClosedRange<Float>
        let ours: @Sendable (Float) -> Float
        let exact: @Sendable (Double) -> Double
        var description: String { name }
    }

    static let functions = [
        Function(name: "exp", inputs: -104...89, ours: shard_exp, exact: Foundation.exp),
        Function(name: "exp near zero", inputs: -0.5...0.5, ours: shard_exp, exact: Foundation.exp),
        Function(name: "log", inputs: 0.00001...1000, ours: shard_log, exact: Foundation.log),
        Function(name: "log near one", inputs: 0.9...1.1, ours: shard_log, exact: Foundation.log),
        Function(name: "log of denormals", inputs: 0x1p-149...0x1p-125, ours: shard_log, exact: Foundation.log),
        Function(name: "tanh", inputs: -12...12, ours: shard_tanh, exact: Foundation.tanh),
        Function(name: "tanh near zero", inputs: -0.01...0.01, ours: shard_tanh, exact: Foundation.tanh),
        Function(name: "sigmoid", inputs: -87...30, ours: shard_sigmoid) { 1 / (1 + Foundation.exp(-$0)) },
        Function(name: "sin", inputs: -10...10, ours: shard_sin, exact: Foundation.sin),
        Function(
            name: "sin of large angles", inputs: -2_000_000_000...2_000_000_000, ours: shard_sin, exact: Foundation.sin),
        Function(name: "cos", inputs: -10...10, ours: shard_cos, exact: Foundation.cos),
        Function(
            name: "cos of large angles", inputs: -2_000_000_000...2_000_000_000, ours: shard_cos, exact: Foundation.cos),
        Function(name: "pow", inputs: 0.00001...1_000_000, ours: { shard_pow($0, -0.8125) }) {
            Foundation.pow($0, -0.8125)
        },
    ]

    @Test("results are within 3 units in the last place", arguments: functions)
    func accuracy(function: Function) {
        let count = 200_000
        var worst = 0.0
        for i in 0...count {
            let fraction = Float(i) / Float(count)
            let x = function.inputs.lowerBound * (1 - fraction) + function.inputs.upperBound * fraction
            let exact = function.exact(Double(x))
            let rounded = Float(exact)
            guard rounded.isFinite else { continue }
            worst = max(worst, abs(Double(function.ours(x)) - exact) / Double(rounded.ulp))
        }
        #expect(worst <= 3, "worst: \(worst)")
    }

    @Test("the ends are exact")
    func ends() {
        #expect(shard_exp(0) == 1 && shard_exp(-.infinity) == 0 && shard_exp(.infinity) == .infinity)
        #expect(shard_exp(-200) == 0 && shard_exp(200) == .infinity && shard_exp(.nan).isNaN)
        #expect(shard_log(1) == 0 && shard_log(0) == -.infinity && shard_log(-1).isNaN && shard_log(.nan).isNaN)
        #expect(shard_log(.infinity) == .infinity)
        #expect(shard_tanh(.infinity) == 1 && shard_tanh(-.infinity) == -1 && shard_tanh(.nan).isNaN)
        #expect(shard_tanh(0).bitPattern == 0 && shard_tanh(-0.0).sign == .minus && shard_tanh(0x1p-140) == 0x1p-140)
        #expect(shard_sigmoid(0) == 0.5 && shard_sigmoid(-.infinity) == 0 && shard_sigmoid(.infinity) == 1)
        #expect(shard_sin(0) == 0 && shard_cos(0) == 1 && shard_sin(.infinity).isNaN && shard_cos(0x1p40).isNaN)
        #expect(shard_pow(10000, 0) == 1 && shard_pow(2, 10) == 1024 && shard_pow(10000, -0.5) == 0.01)
        #expect(shard_pow(0, 2) == 0 && shard_pow(0, -1) == .infinity && shard_pow(-2, 2).isNaN)
        #expect(shard_pow(1e30, 5) == .infinity && shard_pow(1e30, -5) == 0)
    }

    static let maps:
        [(String, @Sendable (Table) -> @convention(c) (UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void)] =
            [
                ("exp", { $0.call.exp }), ("log", { $0.call.log }), ("tanh", { $0.call.tanh }),
                ("sigmoid", { $0.call.sigmoid }),
            ]

    @Test("every table equals scalar bit for bit", arguments: Table.vector, 0..<maps.count)
    func equalsScalar(table: Table, index: Int) {
        var random = Random(seed: 51)
        var x = (0..<200_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
        x += random.floats(50_003, 100) + [.infinity, -.infinity, .nan, 0, -0.0]
        var ours = [Float](repeating: 0, count: x.count)
        var scalar = ours
        Self.maps[index].1(table)(x, x.count, &ours)
        Self.maps[index].1(.scalar)(x, x.count, &scalar)
        let difference = firstDifference(ours, scalar)
        #expect(difference == nil, "\(Self.maps[index].0) of \(x[difference ?? 0])")
    }

    @Test("a power keeps the precision of rotary frequencies")
    func frequencies() {
        for base: Float in [10_000, 500_000, 1_000_000] {
            for i in 0..<64 {
                let exponent = -Float(2 * i) / 128
                #expect(shard_pow(base, exponent) == Float(Foundation.pow(Double(base), Double(exponent))))
            }
        }
    }
}
