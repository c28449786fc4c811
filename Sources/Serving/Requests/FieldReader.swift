import ModelFiles

/// Reads the fields of one JSON object; every error names the field by its path in the request.
///
/// `null` counts as absent, as in OpenAI's interface.
struct FieldReader {
    /// Empty at the top, else `messages[3].`.
    let prefix: String
    let fields: JSONObject

    init(_ value: JSONValue, at path: String = "") throws(ServingError) {
        guard case .object(let fields) = value else {
            throw .expected("an object", got: value.kind, path.isEmpty ? "body" : path)
        }
        self.prefix = path.isEmpty ? "" : path + "."
        self.fields = fields
    }

    func path(_ name: String) -> String { prefix + name }

    subscript(name: String) -> JSONValue? {
        fields[name].flatMap { $0.isNull ? nil : $0 }
    }

    func required(_ name: String) throws(ServingError) -> JSONValue {
        guard let value = self[name] else { throw ServingError(.missingField, path(name), "required, and missing") }
        return value
    }

    func string(_ name: String) throws(ServingError) -> String? {
        guard let value = self[name] else { return nil }
        guard case .string(let string) = value else { throw .expected("a string", got: value.kind, path(name)) }
        return string
    }

    func bool(_ name: String) throws(ServingError) -> Bool? {
        guard let value = self[name] else { return nil }
        guard case .bool(let bool) = value else { throw .expected("true or false", got: value.kind, path(name)) }
        return bool
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(ServingError) -> Int? {
        guard let value = self[name] else { return nil }
        return try Self.integer(value, in: range, path(name))
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(ServingError) -> Float? {
        guard let value = self[name] else { return nil }
        return try Self.number(value, in: range, path(name))
    }

    static func integer(_ value: JSONValue, in range: ClosedRange<Int>, _ path: String) throws(ServingError) -> Int {
        guard let integer = value.integerValue, range.contains(integer) else {
            throw .expected("an integer from \(range.lowerBound) to \(range.upperBound)", got: value.kind, path)
        }
        return integer
    }

    static func number(_ value: JSONValue, in range: ClosedRange<Double>, _ path: String) throws(ServingError) -> Float
    {
        guard let number = value.numberValue, range.contains(number) else {
            throw .expected("a number from \(range.lowerBound) to \(range.upperBound)", got: value.kind, path)
        }
        return Float(number)
    }

    /// Refuses every field that is not in `known`, and lists those that are.
    func refuseUnknown(known: [String]) throws(ServingError) {
        for name in fields.keys where !known.contains(name) {
            throw ServingError(
                .unknownField, path(String(name.prefix(64))),
                "unknown field; known are \(known.sorted().joined(separator: ", "))")
        }
    }
}
