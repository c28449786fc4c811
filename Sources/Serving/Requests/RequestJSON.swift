import ModelFiles
import NIOCore

/// Request bodies as JSON: bounded depth and size, finite numbers, no key twice.
enum RequestJSON {
    static func parse(_ body: ByteBuffer) throws(ServingError) -> JSONValue {
        let result = body.withUnsafeReadableBytes { bytes -> Result<JSONValue, ModelFileError> in
            do throws(ModelFileError) {
                var tree = TreeReader(reader: JSONReader(bytes, file: "body", depthMax: FieldLimits.jsonDepthMax))
                let value = try tree.value()
                try tree.reader.end()
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        do {
            return try result.get()
        } catch {
            throw ServingError(.invalidJSON, nil, "\(error)")
        }
    }
}

private struct TreeReader {
    var reader: JSONReader
    private var valueCount = 0

    init(reader: JSONReader) { self.reader = reader }

    mutating func value() throws(ModelFileError) -> JSONValue {
        valueCount += 1
        guard valueCount <= FieldLimits.jsonValuesMax else {
            throw reader.error("at most \(FieldLimits.jsonValuesMax) values", got: "more", .limit)
        }
        var isFirst = true
        switch reader.kind() {
        case UInt8(ascii: "{"):
            try reader.beginObject()
            var object = JSONObject()
            while let key = try reader.nextKey(&isFirst) {
                guard object.add(key, try value()) else { throw reader.error("each key once", got: "one again") }
            }
            return .object(object)
        case UInt8(ascii: "["):
            try reader.beginArray()
            var array: [JSONValue] = []
            while try reader.hasElement(&isFirst) { array.append(try value()) }
            return .array(array)
        default:
            let value = try reader.value()
            if case .number(let number) = value, !number.isFinite {
                throw reader.error("finite numbers", got: "another")
            }
            return value
        }
    }
}

extension JSONObject {
    /// For keys that differ.
    init(_ fields: KeyValuePairs<String, JSONValue>) {
        self.init()
        for (key, value) in fields { _ = add(key, value) }
    }
}

extension JSONValue {
    /// What it is, for error lines; never the content of a string, which may be a prompt.
    var kind: String {
        if case .string = self { "a string" } else { summary }
    }
}
