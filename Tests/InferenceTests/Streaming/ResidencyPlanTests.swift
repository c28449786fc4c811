import Streaming
import Tensors
import Testing

@testable import Inference

@Suite("What stays in memory")
struct ResidencyPlanTests {
    /// Matrices of random shapes and types, behind each other in a file.
    private func matrices(seed: UInt64) -> [StreamableMatrix] {
        var random = TestRandom(seed: seed)
        var offset = 0
        return (0..<Int.random(in: 1...40, using: &random)).map { index in
            let type = [ElementType.q4_K, .q6_K, .q8_0, .f16].randomElement(using: &random)!
            let rows = Int.random(in: 1...600, using: &random)
            let columns = 256 * Int.random(in: 1...8, using: &random)
            let bytes = type.byteCount(elementCount: rows * columns)!
            defer { offset += bytes }
            return StreamableMatrix(
                name: "\(index)", unit: index / 4, type: type, rowCount: rows, columnCount: columns,
                place: Piece(file: 0, offset: offset, byteCount: bytes))
        }
    }

    @Test("slices cover every row once, in whole tiles", arguments: 0..<50)
    func slicesCoverMatrices(seed: UInt64) {
        let matrices = matrices(seed: seed)
        let plan = ResidencyPlan(matrices, pinnedBytesMax: 0)
        for (index, matrix) in matrices.enumerated() {
            let slices = plan.slices.filter { $0.matrix == index }
            #expect(slices.first?.rows.lowerBound == 0)
            #expect(slices.last?.rows.upperBound == matrix.rowCount)
            #expect(zip(slices, slices.dropFirst()).allSatisfy { $0.rows.upperBound == $1.rows.lowerBound })
            #expect(slices.dropLast().allSatisfy { $0.rows.count % 16 == 0 })
            #expect(slices.reduce(0) { $0 + $1.piece.byteCount } == matrix.place.byteCount)
        }
        #expect(plan.streamedBytes == matrices.reduce(0) { $0 + $1.place.byteCount })
    }

    @Test("never above what may stay; what stays with less stays with more", arguments: 0..<50)
    func pinning(seed: UInt64) {
        let matrices = matrices(seed: seed)
        let all = ResidencyPlan(matrices, pinnedBytesMax: .max)
        #expect(all.streamedBytes == 0)
        var before: Set<Int> = []
        for part in 0...20 {
            let limit = all.pinnedBytes * part / 20
            let plan = ResidencyPlan(matrices, pinnedBytesMax: limit)
            #expect(plan.pinnedBytes <= limit)
            let pinned = Set(plan.slices.indices.filter { plan.slices[$0].isPinned })
            #expect(pinned.isSuperset(of: before))
            before = pinned
        }
        #expect(before.count == all.slices.count)
    }

    @Test("pinned and streamed slices alternate", arguments: [2, 7, 64, 100, 1000])
    func spread(count: Int) {
        let order = ResidencyPlan.spreadOrder(count: count)
        #expect(order.sorted() == Array(0..<count))
        // However many are pinned, no gap is much longer than an even spread has.
        for pinnedCount in 1..<count where pinnedCount < 200 {
            let places = order.prefix(pinnedCount).sorted()
            let gaps = zip(places, places.dropFirst()).map { $1 - $0 }
            #expect((gaps.max() ?? 0) <= 4 * (count / pinnedCount + 1), "\(pinnedCount) of \(count)")
        }
    }
}
