/// A JSON document as a value. Objects keep the order of their keys, and a key that comes twice is an error.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number written without fraction or exponent that fits.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Parses a whole text.
    ///
    /// - Parameter file: name that errors give as the place.
    package init(parsing text: String, file: String) throws(ModelFileError) {
        var text = text
        let result = text.withUTF8 { (utf8) -> Result<JSONValue, ModelFileError> in
            do throws(ModelFileError) {
                return .success(try JSONValue(parsing: UnsafeRawBufferPointer(utf8), file: file))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    package init(parsing file: MappedFile) throws(ModelFileError) {
        self = try JSONValue(parsing: file.bytes, file: file.name)
    }

    package init(parsing bytes: UnsafeRawBufferPointer, file: String) throws(ModelFileError) {
        var reader = JSONReader(bytes, file: file)
        self = try reader.value()
        try reader.end()
    }

    /// The value of a key, when this is an object that has it.
    package subscript(key: String) -> JSONValue? { objectValue?[key] }

    package var isNull: Bool { self == .null }
    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    package var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// A whole number; also one that was written as `40.0`.
    package var integerValue: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    package var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A few words for errors.
    package var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .array(let values): "an array of \(values.count)"
        case .object(let object): "an object of \(object.count)"
        }
    }
}

/// Keys and values in the order of the text. Keys are compared by their bytes: `é` in one or in two characters are two keys.
package struct JSONObject: Sendable, Hashable {
    package private(set) var keys: [String] = []
    package private(set) var values: [JSONValue] = []
    /// Only for more keys than a look through them is worth.
    private var places: [ExactString: Int] = [:]
    private static let scanMax = 12

    package init() {}

    package var count: Int { keys.count }

    package subscript(key: String) -> JSONValue? { place(of: key).map { values[$0] } }

    private func place(of key: String) -> Int? {
        guard keys.count <= Self.scanMax else { return places[ExactString(key)] }
        return keys.firstIndex { ExactString($0) == ExactString(key) }
    }

    /// Adds a key; false when it is there already.
    package mutating func add(_ key: String, _ value: JSONValue) -> Bool {
        guard place(of: key) == nil else { return false }
        keys.append(key)
        values.append(value)
        if keys.count == Self.scanMax + 1 {
            for (index, key) in keys.enumerated() { places[ExactString(key)] = index }
        } else if keys.count > Self.scanMax {
            places[ExactString(key)] = keys.count - 1
        }
        return true
    }
}

/// A string that equals only its own bytes; `String` also equals what merely looks alike (canonical equivalence).
package struct ExactString: Hashable, Sendable {
    package let string: String

    package init(_ string: String) { self.string = string }

    package static func == (left: ExactString, right: ExactString) -> Bool {
        left.string.utf8.elementsEqual(right.string.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        let isHashed: Void? = string.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isHashed == nil { Array(string.utf8).withUnsafeBytes { hasher.combine(bytes: $0) } }
    }
}

extension JSONReader {
    /// Any value, as a tree.
    package mutating func value() throws(ModelFileError) -> JSONValue {
        var isFirst = true
        switch kind() {
        case UInt8(ascii: "{"):
            try beginObject()
            var object = JSONObject()
            while let key = try nextKey(&isFirst) {
                guard object.add(key, try value()) else {
                    throw error("each key once", got: "\"\(key)\" again", .duplicate)
                }
            }
            return .object(object)
        case UInt8(ascii: "["):
            try beginArray()
            var array: [JSONValue] = []
            while try hasElement(&isFirst) { array.append(try value()) }
            return .array(array)
        case UInt8(ascii: "\""): return .string(try string())
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
        default: return try literal()
        }
    }

    /// Passes over a value of any kind, keeping nothing.
    package mutating func skipValue() throws(ModelFileError) {
        var isFirst = true
        switch kind() {
        case UInt8(ascii: "{"):
            try beginObject()
            while try nextKey(&isFirst) != nil { try skipValue() }
        case UInt8(ascii: "["):
            try beginArray()
            while try hasElement(&isFirst) { try skipValue() }
        default: _ = try value()
        }
    }
}
