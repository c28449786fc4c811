#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Values of a JSON configuration by key, with their ranges checked; null counts as absent.
struct ConfigFields {
    private let object: JSONObject
    private let file: String
    /// Keys that lead to `object`, each followed by a dot.
    private let prefix: String

    init(_ object: JSONObject, file: String, prefix: String = "") {
        self.object = object
        self.file = file
        self.prefix = prefix
    }

    func value(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    func error(_ key: String, _ expected: String, got: String, hint: String? = nil) -> ModelFileError {
        ModelFileError(.mismatch, file: file, field: prefix + key, expected: expected, got: got, hint: hint)
    }

    func missing(_ key: String) -> ModelFileError {
        ModelFileError(.missing, file: file, field: prefix + key, expected: "the key", got: "no such key")
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(ModelFileError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let integer = value.integerValue, range.contains(integer) else {
            throw error(key, "an integer from \(range.lowerBound) to \(range.upperBound)", got: value.summary)
        }
        return integer
    }

    func required(_ key: String, in range: ClosedRange<Int>) throws(ModelFileError) -> Int {
        guard let integer = try integer(key, in: range) else { throw missing(key) }
        return integer
    }

    func float(_ key: String) throws(ModelFileError) -> Float? {
        guard let value = value(key) else { return nil }
        guard let number = value.numberValue, Float(number).isFinite else {
            throw error(key, "a finite number", got: value.summary)
        }
        return Float(number)
    }

    /// A number above 0.
    func positive(_ key: String) throws(ModelFileError) -> Float? {
        guard let number = try float(key) else { return nil }
        guard number > 0 else { throw error(key, "a number above 0", got: "\(number)") }
        return number
    }

    func bool(_ key: String) throws(ModelFileError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let bool = value.boolValue else { throw error(key, "true or false", got: value.summary) }
        return bool
    }

    func string(_ key: String) throws(ModelFileError) -> String? {
        guard let value = value(key) else { return nil }
        guard let string = value.stringValue else { throw error(key, "a string", got: value.summary) }
        return string
    }

    /// An object, as fields of its own.
    func fields(_ key: String) throws(ModelFileError) -> ConfigFields? {
        guard let value = value(key) else { return nil }
        guard let object = value.objectValue else { throw error(key, "an object", got: value.summary) }
        return ConfigFields(object, file: file, prefix: "\(prefix)\(key).")
    }

    /// Whether any value is itself an object.
    var hasNestedObjects: Bool { object.values.contains { $0.objectValue != nil } }
}

func naturalLogarithm(_ number: Double) -> Double { log(number) }
