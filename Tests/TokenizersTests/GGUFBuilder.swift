import ModelFiles

/// Writes GGUF files that hold metadata only.
struct GGUFBuilder {
    enum Value {
        case integer(UInt32)
        case bool(Bool)
        case string(String)
        case strings([String])
        case integers([Int32])
        case floats([Float])
    }

    var entries: [(String, Value)]

    func open() throws -> ModelFile {
        var bytes = Array("GGUF".utf8)
        append(UInt32(3), &bytes)
        append(UInt64(0), &bytes)
        append(UInt64(entries.count), &bytes)
        for (key, value) in entries {
            append(key, &bytes)
            switch value {
            case .integer(let value):
                append(UInt32(4), &bytes)
                append(value, &bytes)
            case .bool(let value):
                append(UInt32(7), &bytes)
                bytes.append(value ? 1 : 0)
            case .string(let value):
                append(UInt32(8), &bytes)
                append(value, &bytes)
            case .strings(let values): array(8, values, &bytes) { append($0, &$1) }
            case .integers(let values): array(5, values, &bytes) { append($0, &$1) }
            case .floats(let values): array(6, values, &bytes) { append($0.bitPattern, &$1) }
            }
        }
        return try ModelFile.open(bytes: bytes, name: "vocab.gguf")
    }

    private func array<Value>(
        _ type: UInt32, _ values: [Value], _ bytes: inout [UInt8], _ write: (Value, inout [UInt8]) -> Void
    ) {
        append(UInt32(9), &bytes)
        append(type, &bytes)
        append(UInt64(values.count), &bytes)
        for value in values { write(value, &bytes) }
    }

    private func append<Value: FixedWidthInteger>(_ value: Value, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private func append(_ text: String, _ bytes: inout [UInt8]) {
        append(UInt64(text.utf8.count), &bytes)
        bytes.append(contentsOf: text.utf8)
    }
}
