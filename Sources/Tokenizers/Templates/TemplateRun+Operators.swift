import ModelFiles

extension TemplateRun {
    func apply(
        _ operation: TemplateOperator, _ left: JinjaValue, _ right: JinjaValue
    ) throws(TokenizerError) -> JinjaValue {
        for operand in [left, right] {
            if case .undefined(let what) = operand { throw error(what) }
        }
        switch (operation, left, right) {
        case (.add, .string(let a), .string(let b)):
            try charge(bytes: a.utf8.count + b.utf8.count)
            return .string(a + b)
        case (.add, .list(let a), .list(let b)):
            try charge(a.items.count + b.items.count)
            return .list(a.items + b.items)
        case (.multiply, .string(let text), _) where right.asInteger != nil:
            return try repeated(text, right.asInteger ?? 0)
        case (.multiply, _, .string(let text)) where left.asInteger != nil:
            return try repeated(text, left.asInteger ?? 0)
        case (.multiply, .list(let list), _) where right.asInteger != nil:
            let count = max(right.asInteger ?? 0, 0)
            let (total, isOverflow) = count.multipliedReportingOverflow(by: list.items.count)
            try charge(isOverflow ? .max : total)
            return .list(Array(repeatElement(list.items, count: list.items.isEmpty ? 0 : count).joined()))
        case (.remainder, .string(let format), _):
            var values = TemplateValues()
            if case .list(let list) = right { values.positional = list.items } else { values.positional = [right] }
            return .string(try formatted(format, values))
        default: return try arithmetic(operation, left, right)
        }
    }

    private func repeated(_ text: String, _ count: Int) throws(TokenizerError) -> JinjaValue {
        let count = max(count, 0)
        let (bytes, isOverflow) = text.utf8.count.multipliedReportingOverflow(by: count)
        try charge(bytes: isOverflow ? .max : bytes)
        return .string(text.isEmpty ? "" : String(repeating: text, count: count))
    }

    private func arithmetic(
        _ operation: TemplateOperator, _ left: JinjaValue, _ right: JinjaValue
    ) throws(TokenizerError) -> JinjaValue {
        if operation != .divide, let a = left.asInteger, let b = right.asInteger {
            return try integers(operation, a, b)
        }
        guard let a = left.asNumber, let b = right.asNumber else {
            throw error("`\(operation.rawValue)` does not take \(left.typeName) and \(right.typeName)")
        }
        switch operation {
        case .add: return .number(a + b)
        case .subtract: return .number(a - b)
        case .multiply: return .number(a * b)
        case .power: return .number(Self.power(a, b))
        case .divide, .floorDivide, .remainder:
            guard b != 0 else { throw error("division by zero") }
            if operation == .divide { return .number(a / b) }
            let quotient = (a / b).rounded(.down)
            return .number(operation == .floorDivide ? quotient : a - quotient * b)
        }
    }

    private func integers(_ operation: TemplateOperator, _ a: Int, _ b: Int) throws(TokenizerError) -> JinjaValue {
        let result: (partialValue: Int, overflow: Bool)
        switch operation {
        case .add: result = a.addingReportingOverflow(b)
        case .subtract: result = a.subtractingReportingOverflow(b)
        case .multiply: result = a.multipliedReportingOverflow(by: b)
        case .power:
            if b < 0 { return .number(Self.power(Double(a), Double(b))) }
            result = Self.integerPower(a, b)
        case .divide, .floorDivide, .remainder:
            guard b != 0 else { throw error("division by zero") }
            let (quotient, isOverflow) = a.dividedReportingOverflow(by: b)
            guard !isOverflow else { throw error("an integer too large") }
            let remainder = a - quotient * b
            // Python rounds down; the remainder has the divisor's sign.
            let isRounded = remainder != 0 && (remainder < 0) != (b < 0)
            if operation == .remainder { return .integer(isRounded ? remainder + b : remainder) }
            return .integer(isRounded ? quotient - 1 : quotient)
        }
        guard !result.overflow else { throw error("an integer too large") }
        return .integer(result.partialValue)
    }

    private static func integerPower(_ base: Int, _ exponent: Int) -> (partialValue: Int, overflow: Bool) {
        var result = 1
        var base = base
        var exponent = exponent
        while true {
            if exponent & 1 == 1 {
                let (product, isOverflow) = result.multipliedReportingOverflow(by: base)
                if isOverflow { return (0, true) }
                result = product
            }
            exponent >>= 1
            if exponent == 0 { return (result, false) }
            let (square, isOverflow) = base.multipliedReportingOverflow(by: base)
            if isOverflow { return (0, true) }
            base = square
        }
    }

    func negative(_ value: JinjaValue) throws(TokenizerError) -> JinjaValue {
        if let integer = value.asInteger { return try integers(.subtract, 0, integer) }
        if case .number(let number) = value { return .number(-number) }
        throw error("`-` does not take \(value.typeName)")
    }

    func positive(_ value: JinjaValue) throws(TokenizerError) -> JinjaValue {
        if let integer = value.asInteger { return .integer(integer) }
        if case .number = value { return value }
        throw error("`+` does not take \(value.typeName)")
    }

    // MARK: Comparison

    func compare(
        _ first: TemplateExpression, _ rest: [(TemplateComparison, TemplateExpression)]
    ) throws(TokenizerError) -> JinjaValue {
        var left = try evaluate(first)
        for (comparison, expression) in rest {
            let right = try evaluate(expression)
            guard try holds(comparison, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    func holds(
        _ comparison: TemplateComparison, _ left: JinjaValue, _ right: JinjaValue
    ) throws(TokenizerError) -> Bool {
        switch comparison {
        case .equal: return try isEqual(left, right)
        case .notEqual: return try !isEqual(left, right)
        case .less: return try isLess(left, right)
        case .greater: return try isLess(right, left)
        case .lessOrEqual: return try !isLess(right, left)
        case .greaterOrEqual: return try !isLess(left, right)
        case .isIn: return try contains(right, left)
        case .isNotIn: return try !contains(right, left)
        }
    }

    func isEqual(_ left: JinjaValue, _ right: JinjaValue) throws(TokenizerError) -> Bool {
        try charge()
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let a), .string(let b)):
            try charge(min(a.utf8.count, b.utf8.count) / 64)
            return ExactString(a) == ExactString(b)
        case (.list(let a), .list(let b)):
            guard a.items.count == b.items.count else { return false }
            for (a, b) in zip(a.items, b.items) where try !isEqual(a, b) { return false }
            return true
        case (.map(let a), .map(let b)):
            guard a.count == b.count else { return false }
            for (key, value) in zip(a.keys, a.values) {
                guard let mapKey = JinjaMap.Key(key), let other = b.value(mapKey), try isEqual(value, other) else {
                    return false
                }
            }
            return true
        case (.handle(let a), .handle(let b)): return a == b
        default:
            guard let a = left.asNumber, let b = right.asNumber else { return false }
            if let a = left.asInteger, let b = right.asInteger { return a == b }
            return a == b
        }
    }

    func isLess(_ left: JinjaValue, _ right: JinjaValue) throws(TokenizerError) -> Bool {
        try charge()
        switch (left, right) {
        case (.undefined(let what), _), (_, .undefined(let what)): throw error(what)
        case (.string(let a), .string(let b)):
            try charge(min(a.utf8.count, b.utf8.count) / 64)
            // Order of code points is that of UTF-8.
            return a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.list(let a), .list(let b)):
            for (a, b) in zip(a.items, b.items) where try !isEqual(a, b) { return try isLess(a, b) }
            return a.items.count < b.items.count
        default:
            if let a = left.asInteger, let b = right.asInteger { return a < b }
            guard let a = left.asNumber, let b = right.asNumber else {
                throw error("\(left.typeName) and \(right.typeName) have no order")
            }
            return a < b
        }
    }

    func contains(_ container: JinjaValue, _ value: JinjaValue) throws(TokenizerError) -> Bool {
        switch (container, value) {
        case (.undefined, _): return false
        case (.string(let text), .string(let part)):
            try charge(text.utf8.count / 16)
            return part.isEmpty || TextSearch.first(part, in: text.utf8[...]) != nil
        case (.string, _): throw error("`in` a string takes a string, got \(value.typeName)")
        case (.map(let map), _): return JinjaMap.Key(value).map { map.value($0) != nil } ?? false
        case (.list(let list), _):
            for item in list.items where try isEqual(item, value) { return true }
            return false
        default: throw error("`in` does not take \(container.typeName)")
        }
    }
}
