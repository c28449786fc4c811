import Inference
import Tensors

/// Tensors in memory, filled before use and only read afterwards.
final class MemoryTensors: TensorSource, @unchecked Sendable {
    private struct Entry {
        var type: ElementType
        var rows: Int
        var columns: Int
        var bytes: UnsafeMutableRawBufferPointer
    }

    private var entries: [String: Entry] = [:]

    deinit {
        for entry in entries.values { entry.bytes.deallocate() }
    }

    func tensor(_ name: String) throws -> TensorView? {
        entries[name].map {
            TensorView(
                type: $0.type, rowCount: $0.rows, columnCount: $0.columns, bytes: UnsafeRawBufferPointer($0.bytes))
        }
    }

    func discard(_ bytes: Range<Int>, of name: String) {}

    func addVector(_ name: String, _ values: [Float]) {
        let bytes = allocate(name, .f32, rows: 1, columns: values.count)
        values.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }

    /// Random weights of some tenths, whatever the type.
    func add(_ name: String, _ type: ElementType, rows: Int, columns: Int, _ random: inout TestRandom) {
        let bytes = allocate(name, type, rows: rows, columns: columns)
        let blocks = bytes.count / type.blockBytes
        for block in 0..<blocks {
            let target = UnsafeMutableRawBufferPointer(
                rebasing: bytes[block * type.blockBytes..<(block + 1) * type.blockBytes])
            type.fillRandomly(target, &random)
        }
    }

    /// Overwrites one element of a plain f32 tensor.
    func set(_ name: String, element: Int, to value: Float) {
        entries[name]?.bytes.storeBytes(of: value, toByteOffset: element * 4, as: Float.self)
    }

    /// All of them, by name.
    var all: [(name: String, view: TensorView)] {
        entries.keys.sorted().map { name in
            let entry = entries[name]!
            return (
                name,
                TensorView(
                    type: entry.type, rowCount: entry.rows, columnCount: entry.columns,
                    bytes: UnsafeRawBufferPointer(entry.bytes))
            )
        }
    }

    private func allocate(
        _ name: String, _ type: ElementType, rows: Int, columns: Int
    ) -> UnsafeMutableRawBufferPointer {
        guard let rowBytes = type.byteCount(elementCount: columns) else {
            preconditionFailure("rows are whole blocks")
        }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: rows * rowBytes, alignment: 64)
        entries[name] = Entry(type: type, rows: rows, columns: columns, bytes: bytes)
        return bytes
    }
}
