/// The metadata of a GGUF file, in its order; empty for other formats.
package struct GGUFMetadata: Sendable {
    package struct Entry: Sendable {
        package let key: String
        package let value: MetadataValue
    }

    package private(set) var entries: [Entry] = []
    private var places: [String: Int] = [:]
    /// Name of the file, for errors.
    package let file: String

    package init(file: String) { self.file = file }

    package subscript(key: String) -> MetadataValue? { places[key].map { entries[$0].value } }

    /// Adds a key; false when it is there already.
    mutating func add(_ key: String, _ value: MetadataValue) -> Bool {
        guard places.updateValue(entries.count, forKey: key) == nil else { return false }
        entries.append(Entry(key: key, value: value))
        return true
    }

    /// A whole number within `range`; nil when the key is not there.
    package func integer(_ key: String, in range: ClosedRange<Int>) throws(ModelFileError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let integer = value.integerValue, range.contains(integer) else {
            throw mismatch(key, "an integer from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return integer
    }

    /// A finite number; nil when the key is not there.
    package func number(_ key: String) throws(ModelFileError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.numberValue, number.isFinite else { throw mismatch(key, "a finite number", value) }
        return number
    }

    package func bool(_ key: String) throws(ModelFileError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let bool = value.boolValue else { throw mismatch(key, "true or false", value) }
        return bool
    }

    package func string(_ key: String) throws(ModelFileError) -> String? {
        guard let value = self[key] else { return nil }
        guard let string = value.stringValue else { throw mismatch(key, "a string", value) }
        return string
    }

    package func strings(_ key: String) throws(ModelFileError) -> [String]? {
        guard let value = self[key] else { return nil }
        guard let strings = value.arrayValue?.strings() else { throw mismatch(key, "an array of strings", value) }
        return strings
    }

    package func integers(_ key: String) throws(ModelFileError) -> [Int]? {
        guard let value = self[key] else { return nil }
        guard let integers = value.arrayValue?.integers() else { throw mismatch(key, "an array of integers", value) }
        return integers
    }

    package func floats(_ key: String) throws(ModelFileError) -> [Float]? {
        guard let value = self[key] else { return nil }
        guard let floats = value.arrayValue?.floats() else { throw mismatch(key, "an array of numbers", value) }
        return floats
    }

    package func missing(_ key: String, _ expected: String = "the key", hint: String? = nil) -> ModelFileError {
        ModelFileError(.missing, file: file, field: key, expected: expected, got: "no such key", hint: hint)
    }

    private func mismatch(_ key: String, _ expected: String, _ value: MetadataValue) -> ModelFileError {
        ModelFileError(.mismatch, file: file, field: key, expected: expected, got: value.summary)
    }
}
