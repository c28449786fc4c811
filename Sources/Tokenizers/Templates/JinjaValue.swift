/// A value in a template: what JSON has, and what templates make.
package enum JinjaValue: Sendable {
    /// What a name or key without a value gives; the text says what was looked for.
    case undefined(String)
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list(JinjaList)
    case map(JinjaMap)
    /// Something that lives in one rendering only.
    case handle(JinjaHandle)

    package static func list(_ items: [JinjaValue]) -> JinjaValue { .list(JinjaList(items)) }

    static func tuple(_ items: [JinjaValue]) -> JinjaValue { .list(JinjaList(items, isTuple: true)) }

    var depth: Int {
        switch self {
        case .list(let list): list.depth
        case .map(let map): map.depth
        default: 0
        }
    }

    /// Python's truth.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .string(let value): !value.isEmpty
        case .list(let value): !value.items.isEmpty
        case .map(let value): value.count > 0
        case .handle: true
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }

    /// The name that messages use.
    var typeName: String {
        switch self {
        case .undefined: "an undefined value"
        case .none: "none"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .list: "a list"
        case .map: "a mapping"
        case .handle(let handle): handle.typeName
        }
    }

    /// Booleans count as 0 and 1, as in Python.
    var asInteger: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    var asNumber: Double? {
        if case .number(let value) = self { return value }
        return asInteger.map(Double.init)
    }
}

/// Things with an identity, by their place in the rendering that made them.
package enum JinjaHandle: Sendable, Hashable {
    case namespace(Int)
    case macro(Int)
    case loop(Int)
    case function(String)
    /// A method that was named but not called.
    case method(String)

    var typeName: String {
        switch self {
        case .namespace: "a namespace"
        case .macro: "a macro"
        case .loop: "a loop"
        case .function: "a function"
        case .method: "a method"
        }
    }
}

package struct JinjaList: Sendable {
    package let items: [JinjaValue]
    /// Lists and mappings inside each other, this one included; bounds every recursion over values.
    let depth: Int

    /// Whether it is written out with round brackets; tuples are lists in all else.
    let isTuple: Bool

    package init(_ items: [JinjaValue]) { self.init(items, isTuple: false) }

    init(_ items: [JinjaValue], isTuple: Bool) {
        self.items = items
        self.isTuple = isTuple
        depth = 1 + (items.lazy.map(\.depth).max() ?? 0)
    }
}
