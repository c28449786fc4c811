import Testing

@testable import Measuring

@Suite("Comparison of reports")
struct BenchmarkComparisonTests {
    @Test("results of the same model, mode, threads and test meet; the others are named")
    func matching() {
        let old = Fixtures.report([
            Fixtures.result("a.gguf"), Fixtures.result("b.gguf"), Fixtures.result("a.gguf", threads: 1),
        ])
        let new = Fixtures.report([
            Fixtures.result("b.gguf", seconds: [1]), Fixtures.result("a.gguf", mode: .distributed),
            Fixtures.result("a.gguf", seconds: [0.1, 0.2]),
        ])
        let comparison = BenchmarkComparison(old: old, new: new)
        #expect(comparison.rows.map(\.key.model) == ["b.gguf", "a.gguf"])
        #expect(comparison.onlyOld.map(\.threads) == [1])
        #expect(comparison.onlyNew.map(\.mode) == [.distributed])
        #expect(comparison.notes.isEmpty)
    }

    @Test("a ratio is of the medians, and flagged only where the spreads are apart")
    func ratio() {
        let old = Fixtures.report([Fixtures.result(seconds: [2, 1, 4])])
        let near = BenchmarkComparison(old: old, new: Fixtures.report([Fixtures.result(seconds: [1, 1, 0.9])]))
        #expect(near.rows[0].ratio == 2 && !near.rows[0].isApart)
        let far = BenchmarkComparison(old: old, new: Fixtures.report([Fixtures.result(seconds: [0.5, 0.5, 0.6])]))
        #expect(far.rows[0].ratio == 4 && far.rows[0].isApart)
    }

    @Test("another machine is told")
    func machines() {
        var old = Fixtures.report()
        old.machine.kernels = "avx2"
        let comparison = BenchmarkComparison(old: old, new: Fixtures.report())
        #expect(comparison.notes == ["another kernels: avx2 before, scalar now"])
    }
}
