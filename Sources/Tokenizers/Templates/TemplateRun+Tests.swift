extension TemplateRun {
    /// Whether `value is name(arguments)`.
    func test(_ name: String, _ value: JinjaValue, _ arguments: TemplateValues) throws(TokenizerError) -> Bool {
        try charge()
        if let comparison = Self.comparisonTests[name] {
            guard let other = arguments.positional.first else { throw error("the test \(name) takes a value") }
            return try holds(comparison, value, other)
        }
        switch name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none": if case .none = value { return true }
        case "boolean": if case .bool = value { return true }
        case "true": if case .bool(true) = value { return true }
        case "false": if case .bool(false) = value { return true }
        case "integer": if case .integer = value { return true }
        case "float": if case .number = value { return true }
        case "number": return value.asNumber != nil
        case "string": if case .string = value { return true }
        case "mapping": if case .map = value { return true }
        case "sequence", "iterable":
            switch value {
            case .string, .list, .map: return true
            case .undefined: return true
            default: return false
            }
        case "callable":
            switch value {
            case .handle(.macro), .handle(.function), .handle(.method): return true
            default: return false
            }
        case "sameas":
            guard let other = arguments.positional.first else { throw error("the test sameas takes a value") }
            return try isSame(value, other)
        case "even", "odd", "divisibleby":
            let divisor = name == "divisibleby" ? arguments.positional.first : .integer(2)
            guard let number = value.asInteger, let divisor = divisor?.asInteger, divisor != 0 else {
                throw error("the test \(name) takes integers")
            }
            let isDivisible = divisor == -1 || number % divisor == 0
            return isDivisible != (name == "odd")
        case "lower", "upper":
            return try call(textMethod: "is" + name, of: text(of: value), TemplateValues()).isTrue
        case "escaped": return false
        case "filter", "test": throw unsupported("the test \(TokenizerError.quoted(name)) is not supported")
        default: throw unsupported("the test \(TokenizerError.quoted(name)) is not supported")
        }
        return false
    }

    private static let comparisonTests: [String: TemplateComparison] = [
        "eq": .equal, "equalto": .equal, "ne": .notEqual, "lt": .less, "lessthan": .less, "le": .lessOrEqual,
        "gt": .greater,
        "greaterthan": .greater, "ge": .greaterOrEqual, "in": .isIn,
    ]

    /// Identity, as far as values have one: the same kind and equal.
    private func isSame(_ left: JinjaValue, _ right: JinjaValue) throws(TokenizerError) -> Bool {
        switch (left, right) {
        case (.bool(let a), .bool(let b)): return a == b
        case (.bool, _), (_, .bool): return false
        case (.integer, .number), (.number, .integer): return false
        default: return try isEqual(left, right)
        }
    }
}
