import CKernels
import Testing

@Suite("Matrix products")
struct MatmulTests {
    static let rowCounts = [1, 15, 16, 33, 75]

    static func columnCounts(_ type: WeightType) -> [Int] {
        type.isFloat ? [1, 7, 24, 100] : [type.blockElements, 3 * type.blockElements]
    }

    @Test("every table equals scalar bit for bit", arguments: Table.vector, WeightType.allCases)
    func equalsScalar(table: Table, type: WeightType) {
        var random = Random(seed: 11)
        for rows in Self.rowCounts {
            for columns in Self.columnCounts(type) {
                let matrix = PackedMatrix(type, rows: rows, columns: columns, seed: random.next())
                for count in [1, 2, 3, 5, 7, 8, 9, 15] {
                    let x = random.floats(count * columns, 4)
                    let activations = matrix.activations(x, .scalar)
                    #expect(activations == matrix.activations(x, table), "activations of \(columns) columns")
                    let difference = firstDifference(
                        matrix.multiply(.scalar, activations), matrix.multiply(table, activations))
                    #expect(difference == nil, "\(rows) rows, \(columns) columns, \(count) activation rows")
                }
            }
        }
    }

    @Test(
        "a result depends neither on the other activation rows nor on the tiles", arguments: Table.all,
        WeightType.allCases)
    func independent(table: Table, type: WeightType) {
        var random = Random(seed: 12)
        let columns = type.isFloat ? 40 : 512
        let matrix = PackedMatrix(type, rows: 150, columns: columns, seed: 13)
        let x = random.floats(13 * columns, 4)
        let together = matrix.multiply(table, matrix.activations(x, table))
        for split in [1, 4, 7] {
            #expect(
                firstDifference(together, matrix.multiply(table, matrix.activations(x, table), split: split)) == nil)
        }
        for n in 0..<13 {
            let alone = matrix.multiply(table, matrix.activations(Array(x[n * columns..<(n + 1) * columns]), table))
            #expect(firstDifference(alone, Array(together[n * 152..<(n + 1) * 152])) == nil, "row \(n)")
        }
    }

    @Test(
        "weights and activations at their extremes do not overflow", arguments: Table.all,
        WeightType.allCases.filter { !$0.isFloat && !$0.scaleOffsets.isEmpty })
    func extremes(table: Table, type: WeightType) {
        for byte: UInt8 in [0x00, 0x7f, 0x80, 0xff] {
            var file = [UInt8](repeating: byte, count: 16 * type.rowBytes(512))
            for start in stride(from: 0, to: file.count, by: type.rowBytes(type.blockElements)) {
                for offset in type.scaleOffsets {
                    file[start + offset] = 0
                    file[start + offset + 1] = 0x3c
                }
            }
            let matrix = PackedMatrix(type, rows: 16, columns: 512, file: file)
            for sign: Float in [1, -1] {
                let x = [Float](repeating: 127 * sign, count: 512)
                let result = matrix.multiply(table, matrix.activations(x, .scalar))
                let expected = matrix.decoded[0].reduce(0.0) { $0 + Double($1) } * Double(127 * sign)
                #expect(abs(Double(result[0]) - expected) <= abs(expected) * 1e-5 + 1, "bytes \(byte)")
                #expect(firstDifference(result, matrix.multiply(.scalar, matrix.activations(x, .scalar))) == nil)
            }
        }
    }

    @Test("products are near those of decoded weights", arguments: WeightType.allCases)
    func nearDecoded(type: WeightType) {
        var random = Random(seed: 14)
        let columns = type.isFloat ? 300 : 768
        let matrix = PackedMatrix(type, rows: 40, columns: columns, seed: 15)
        let x = (0..<2 * columns).map { _ in random.float(2) }
        let quantized = matrix.multiply(.scalar, matrix.activations(x, .scalar))
        let exact = floatActivations(matrix, x)
        for n in 0..<2 {
            for (row, weights) in matrix.decoded.enumerated() {
                var sum = 0.0
                var magnitude = 0.0
                for c in 0..<columns {
                    sum += Double(weights[c]) * Double(x[n * columns + c])
                    magnitude += abs(Double(weights[c]) * Double(x[n * columns + c]))
                }
                #expect(abs(Double(exact[n * 40 + row]) - sum) <= magnitude * 1e-5)
                #expect(abs(Double(quantized[n * 42 + row]) - sum) <= magnitude * (type.meetsFloats ? 1e-5 : 0.01))
            }
        }
    }

    @Test("float weights give the same with float activations", arguments: [WeightType.f32, .f16, .bf16])
    func sameForFloats(type: WeightType) {
        var random = Random(seed: 16)
        let matrix = PackedMatrix(type, rows: 20, columns: 50, seed: 17)
        let x = random.floats(50, 2)
        let products = matrix.multiply(.scalar, matrix.activations(x, .scalar))
        #expect(firstDifference(Array(products.prefix(20)), floatActivations(matrix, x)) == nil)
    }

    /// [count][rows]
    private func floatActivations(_ matrix: PackedMatrix, _ x: [Float]) -> [Float] {
        let count = x.count / matrix.columns
        var output = [Float](repeating: 0, count: count * matrix.rows)
        let kind = UInt32(SHARD_ACTIVATION_F32)
        var panels = [Float](repeating: 0, count: x.count)
        panels.withUnsafeMutableBytes { panels in
            for n in 0..<count {
                Table.scalar.call.quantize(
                    kind, Array(x[n * matrix.columns..<(n + 1) * matrix.columns]), matrix.columns,
                    shard_panel_rows(n, count), panels.baseAddress! + shard_panel_offset(kind, matrix.columns, n))
            }
        }
        matrix.packed.withUnsafeBytes {
            var all = shard_matrix(
                packed: $0.baseAddress!, row_count: matrix.rows, column_count: matrix.columns,
                type: matrix.type.rawValue)
            shard_matmul_float_activations(
                &all, 0, shard_tile_count(matrix.rows), panels, count, &output, matrix.rows)
        }
        return output
    }
}
