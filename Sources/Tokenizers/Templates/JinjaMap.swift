import ModelFiles

/// A mapping that keeps the order of its keys.
package struct JinjaMap: Sendable {
    /// What may be a key; numbers that are equal are one key, as in Python.
    enum Key: Hashable, Sendable {
        case none
        case integer(Int)
        case number(Double)
        case string(ExactString)

        init?(_ value: JinjaValue) {
            switch value {
            case .none: self = .none
            case .bool, .integer: self = .integer(value.asInteger ?? 0)
            case .number(let number): self = Int(exactly: number).map(Key.integer) ?? .number(number)
            case .string(let text): self = .string(ExactString(text))
            default: return nil
            }
        }
    }

    private(set) var keys: [JinjaValue] = []
    private(set) var values: [JinjaValue] = []
    private var places: [Key: Int] = [:]
    private(set) var depth = 1

    package init() {}

    package var count: Int { keys.count }

    package subscript(key: String) -> JinjaValue? {
        get { places[.string(ExactString(key))].map { values[$0] } }
        set {
            guard let newValue else { return }
            set(.string(ExactString(key)), .string(key), newValue)
        }
    }

    func value(_ key: Key) -> JinjaValue? { places[key].map { values[$0] } }

    mutating func set(_ key: Key, _ keyValue: JinjaValue, _ value: JinjaValue) {
        depth = max(depth, value.depth + 1)
        if let place = places[key] {
            values[place] = value
        } else {
            places[key] = keys.count
            keys.append(keyValue)
            values.append(value)
        }
    }
}

extension JinjaValue {
    /// A value of a JSON document, keys in their order.
    package init(_ json: JSONValue) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let values): self = .list(values.map(JinjaValue.init))
        case .object(let object):
            var map = JinjaMap()
            for (key, value) in zip(object.keys, object.values) { map[key] = JinjaValue(value) }
            self = .map(map)
        }
    }
}
