import CKernels

/// A packed matrix of random weights, and activations quantised for it.
struct PackedMatrix {
    let type: WeightType
    let rows: Int
    let columns: Int
    /// As a file stores it.
    let file: [UInt8]
    let packed: [UInt8]

    init(_ type: WeightType, rows: Int, columns: Int, seed: UInt64) {
        var random = Random(seed: seed)
        self.init(type, rows: rows, columns: columns, file: random.rows(type, rows: rows, columns: columns))
    }

    init(_ type: WeightType, rows: Int, columns: Int, file: [UInt8]) {
        self.type = type
        self.rows = rows
        self.columns = columns
        self.file = file
        var packed = [UInt8](repeating: 0xaa, count: shard_packed_bytes(type.rawValue, rows, columns))
        shard_pack(type.rawValue, file, rows, columns, 0, shard_tile_count(rows), &packed)
        self.packed = packed
    }

    /// Weights [rows][columns] by `shard_decode_row`.
    var decoded: [[Float]] {
        (0..<rows).map { row in
            var output = [Float](repeating: 0, count: columns)
            file.withUnsafeBytes {
                shard_decode_row(type.rawValue, $0.baseAddress! + row * type.rowBytes(columns), columns, &output)
            }
            return output
        }
    }

    /// Activations [count][columns] as the kernels want them, by the table's `quantize`.
    func activations(_ x: [Float], _ table: Table) -> [UInt8] {
        let kind = shard_activation_kind(type.rawValue)
        let count = x.count / columns
        var output = [UInt8](repeating: 0xaa, count: count * shard_activation_bytes(kind, columns))
        x.withUnsafeBufferPointer { x in
            output.withUnsafeMutableBytes { output in
                for n in 0..<count {
                    table.call.quantize(
                        kind, x.baseAddress! + n * columns, columns, shard_panel_rows(n, count),
                        output.baseAddress! + shard_panel_offset(kind, columns, n))
                }
            }
        }
        return output
    }

    /// Multiplies with prepared activations, tiles split at `split`; [count][rows] with two floats between rows, which stay −7.
    func multiply(_ table: Table, _ activations: [UInt8], split: Int = 0) -> [Float] {
        let count = activations.count / shard_activation_bytes(shard_activation_kind(type.rawValue), columns)
        var output = [Float](repeating: -7, count: count * (rows + 2))
        packed.withUnsafeBytes { packed in
            var matrix = shard_matrix(
                packed: packed.baseAddress!, row_count: rows, column_count: columns, type: type.rawValue)
            let tiles = shard_tile_count(rows)
            table.call.matmul(&matrix, 0, min(split, tiles), activations, count, &output, rows + 2)
            table.call.matmul(&matrix, min(split, tiles), tiles, activations, count, &output, rows + 2)
        }
        return output
    }
}
