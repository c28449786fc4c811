import CKernels
import Foundation
import Testing

@Suite("Decoding and packing")
struct DecodeTests {
    struct Golden: Decodable, Sendable, CustomStringConvertible {
        let type: UInt32
        let name: String
        let columns: Int
        let row: Data
        let values: Data

        var description: String { name }
    }

    static let all: [Golden] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appendingPathComponent("Fixtures/kernels/decode.json")
        return try! JSONDecoder().decode([Golden].self, from: Data(contentsOf: file))
    }()

    @Test("rows decode to what the gguf package decodes, from any alignment", arguments: DecodeTests.all)
    func goldens(golden: Golden) {
        let expected = golden.values.withUnsafeBytes { Array($0.assumingMemoryBound(to: Float.self)) }
        for offset in 0..<4 {
            let bytes = [UInt8](repeating: 0, count: offset) + golden.row
            var output = [Float](repeating: 0, count: golden.columns)
            bytes.withUnsafeBytes {
                shard_decode_row(golden.type, $0.baseAddress! + offset, golden.columns, &output)
            }
            #expect(firstDifference(output, expected) == nil)
        }
    }

    @Test("a packed matrix has the file's bits, for whole tiles", arguments: WeightType.allCases)
    func sameBits(type: WeightType) {
        let matrix = PackedMatrix(type, rows: 32, columns: 256, seed: 31)
        #expect(matrix.packed.count == matrix.file.count)
        let bits = { (bytes: [UInt8]) in bytes.reduce(0) { $0 + $1.nonzeroBitCount } }
        #expect(bits(matrix.packed) == bits(matrix.file))
    }

    @Test("missing rows are packed as zeros, ranges of tiles as the whole", arguments: WeightType.allCases)
    func ranges(type: WeightType) {
        let matrix = PackedMatrix(type, rows: 35, columns: 256, seed: 32)
        #expect(matrix.packed.count == 3 * shard_tile_bytes(type.rawValue, 256))
        let padded = matrix.file + [UInt8](repeating: 0, count: 13 * type.rowBytes(256))
        #expect(matrix.packed == PackedMatrix(type, rows: 48, columns: 256, file: padded).packed)
        var parts = [UInt8](repeating: 0xaa, count: matrix.packed.count)
        for tile in [2, 0, 1] {
            shard_pack(type.rawValue, matrix.file, 35, 256, tile, tile + 1, &parts)
        }
        #expect(parts == matrix.packed)
    }

    @Test("columns are whole blocks, types are known")
    func sizes() {
        #expect(shard_columns_are_whole(0, 7) && !shard_columns_are_whole(0, 0))
        #expect(shard_columns_are_whole(8, 96) && !shard_columns_are_whole(8, 100))
        #expect(shard_columns_are_whole(12, 512) && !shard_columns_are_whole(12, 288))
        #expect(!shard_columns_are_whole(99, 256) && !shard_type_is_supported(99))
        #expect(WeightType.allCases.allSatisfy { shard_type_is_supported($0.rawValue) })
    }
}
