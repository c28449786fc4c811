extension TemplateParser {
    /// An expression, or several with commas between them as a list.
    mutating func tuple(withConditional: Bool = true) throws(TokenizerError) -> TemplateExpression {
        let line = line
        var items: [TemplateExpression] = []
        var isTuple = false
        repeat {
            if !items.isEmpty { isTuple = true }
            if isTuple, isTupleEnd { break }
            items.append(try expression(withConditional: withConditional))
        } while skip(symbol: ",")
        return isTuple ? TemplateExpression(kind: .list(items, isTuple: true), line: line) : items[0]
    }

    private var isTupleEnd: Bool {
        switch token.kind {
        case .blockEnd, .outputEnd, .symbol(")"), .name("if"): true
        default: false
        }
    }

    mutating func expression(withConditional: Bool = true) throws(TokenizerError) -> TemplateExpression {
        try nested { (parser) throws(TokenizerError) in
            withConditional ? try parser.conditional() : try parser.or()
        }
    }

    private mutating func conditional() throws(TokenizerError) -> TemplateExpression {
        var value = try or()
        var links = 0
        while isName("if") {
            let line = line
            advance()
            let condition = try or()
            var alternative: TemplateExpression?
            if skip(name: "else") {
                alternative = try nested { (parser) throws(TokenizerError) in try parser.conditional() }
            }
            value = TemplateExpression(kind: .conditional(value, condition, alternative), line: line)
            try count(&links)
        }
        return value
    }

    /// Bounds chains, which become as deep a tree as they are long.
    private func count(_ links: inout Int) throws(TokenizerError) {
        links += 1
        guard links <= TemplateLimits.chainMax else {
            throw error("a chain of more than \(TemplateLimits.chainMax) operators or calls")
        }
    }

    private mutating func or() throws(TokenizerError) -> TemplateExpression {
        var left = try and()
        var links = 0
        while isName("or") {
            let line = line
            advance()
            left = TemplateExpression(kind: .or(left, try and()), line: line)
            try count(&links)
        }
        return left
    }

    private mutating func and() throws(TokenizerError) -> TemplateExpression {
        var left = try not()
        var links = 0
        while isName("and") {
            let line = line
            advance()
            left = TemplateExpression(kind: .and(left, try not()), line: line)
            try count(&links)
        }
        return left
    }

    private mutating func not() throws(TokenizerError) -> TemplateExpression {
        let line = line
        guard skip(name: "not") else { return try comparison() }
        let value = try nested { (parser) throws(TokenizerError) in try parser.not() }
        return TemplateExpression(kind: .not(value), line: line)
    }

    private mutating func comparison() throws(TokenizerError) -> TemplateExpression {
        let line = line
        let first = try sum()
        var rest: [(TemplateComparison, TemplateExpression)] = []
        while let operation = comparisonOperator() { rest.append((operation, try sum())) }
        return rest.isEmpty ? first : TemplateExpression(kind: .compare(first, rest), line: line)
    }

    private mutating func comparisonOperator() -> TemplateComparison? {
        switch token.kind {
        case .symbol(let symbol):
            guard let operation = TemplateComparison(rawValue: symbol) else { return nil }
            advance()
            return operation
        case .name("in"):
            advance()
            return .isIn
        case .name("not"):
            let before = self
            advance()
            if skip(name: "in") { return .isNotIn }
            self = before
            return nil
        default: return nil
        }
    }

    private mutating func sum() throws(TokenizerError) -> TemplateExpression {
        try chain(["+", "-"]) { (parser) throws(TokenizerError) in try parser.concatenation() }
    }

    private mutating func concatenation() throws(TokenizerError) -> TemplateExpression {
        let line = line
        var parts = [try product()]
        while skip(symbol: "~") { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : TemplateExpression(kind: .concatenation(parts), line: line)
    }

    private mutating func product() throws(TokenizerError) -> TemplateExpression {
        try chain(["*", "/", "//", "%"]) { (parser) throws(TokenizerError) in try parser.power() }
    }

    private mutating func power() throws(TokenizerError) -> TemplateExpression {
        try chain(["**"]) { (parser) throws(TokenizerError) in try parser.unary(withFilters: true) }
    }

    private mutating func chain(
        _ symbols: Set<String>, _ operand: (inout TemplateParser) throws(TokenizerError) -> TemplateExpression
    ) throws(TokenizerError) -> TemplateExpression {
        var left = try operand(&self)
        var links = 0
        while case .symbol(let symbol) = token.kind, symbols.contains(symbol),
            let operation = TemplateOperator(rawValue: symbol)
        {
            let line = line
            advance()
            left = TemplateExpression(kind: .binary(operation, left, try operand(&self)), line: line)
            try count(&links)
        }
        return left
    }

    private mutating func unary(withFilters: Bool) throws(TokenizerError) -> TemplateExpression {
        let line = line
        var value: TemplateExpression
        if isSymbol("-") || isSymbol("+") {
            let isNegative = isSymbol("-")
            advance()
            let operand = try nested { (parser) throws(TokenizerError) in try parser.unary(withFilters: false) }
            value = TemplateExpression(kind: isNegative ? .negative(operand) : .positive(operand), line: line)
        } else {
            value = try postfix(try primary())
        }
        return withFilters ? try filters(value) : value
    }

    private mutating func primary() throws(TokenizerError) -> TemplateExpression {
        let line = line
        let kind: TemplateExpression.Kind
        switch token.kind {
        case .name(let name):
            advance()
            kind = Self.constant(name).map { .literal($0) } ?? .name(name)
        case .string(var text):
            advance()
            while case .string(let more) = token.kind {
                text += more
                advance()
            }
            kind = .literal(.string(text))
        case .integer(let value):
            advance()
            kind = .literal(.integer(value))
        case .number(let value):
            advance()
            kind = .literal(.number(value))
        case .symbol("("):
            advance()
            if skip(symbol: ")") { return TemplateExpression(kind: .list([], isTuple: true), line: line) }
            let value = try nested { (parser) throws(TokenizerError) in try parser.tuple() }
            try expect(symbol: ")")
            return value
        case .symbol("["): kind = .list(try list(), isTuple: false)
        case .symbol("{"): kind = .map(try map())
        default: throw error("expected an expression, got \(described)")
        }
        return TemplateExpression(kind: kind, line: line)
    }

    private static func constant(_ name: String) -> JinjaValue? {
        switch name {
        case "true", "True": .bool(true)
        case "false", "False": .bool(false)
        case "none", "None": JinjaValue.none
        default: nil
        }
    }

    private mutating func list() throws(TokenizerError) -> [TemplateExpression] {
        var items: [TemplateExpression] = []
        try expect(symbol: "[")
        while !skip(symbol: "]") {
            if !items.isEmpty {
                try expect(symbol: ",")
                if skip(symbol: "]") { break }
            }
            items.append(try expression())
        }
        return items
    }

    private mutating func map() throws(TokenizerError) -> [(TemplateExpression, TemplateExpression)] {
        var items: [(TemplateExpression, TemplateExpression)] = []
        try expect(symbol: "{")
        while !skip(symbol: "}") {
            if !items.isEmpty {
                try expect(symbol: ",")
                if skip(symbol: "}") { break }
            }
            let key = try expression()
            try expect(symbol: ":")
            items.append((key, try expression()))
        }
        return items
    }

    /// Attributes, items and calls after a value.
    private mutating func postfix(_ start: TemplateExpression) throws(TokenizerError) -> TemplateExpression {
        var value = start
        var links = 0
        while true {
            let line = line
            if skip(symbol: ".") {
                if case .integer(let index) = token.kind {
                    advance()
                    let item = TemplateExpression(kind: .literal(.integer(index)), line: line)
                    value = TemplateExpression(kind: .item(value, item), line: line)
                } else {
                    value = TemplateExpression(kind: .attribute(value, try identifier()), line: line)
                }
            } else if skip(symbol: "[") {
                value = TemplateExpression(kind: try subscription(value), line: line)
            } else if isSymbol("(") {
                value = TemplateExpression(kind: .call(value, try arguments()), line: line)
            } else {
                return value
            }
            try count(&links)
        }
    }

    /// An item or a slice, after `[`.
    private mutating func subscription(_ value: TemplateExpression) throws(TokenizerError) -> TemplateExpression.Kind {
        var bounds: [TemplateExpression?] = [nil]
        while !skip(symbol: "]") {
            if skip(symbol: ":") {
                bounds.append(nil)
            } else {
                guard bounds[bounds.count - 1] == nil else { throw error("expected `]`, got \(described)") }
                bounds[bounds.count - 1] = try expression()
            }
        }
        switch bounds.count {
        case 1:
            guard let index = bounds[0] else { throw error("expected an index") }
            return .item(value, index)
        case 2: return .slice(value, bounds[0], bounds[1], nil)
        case 3: return .slice(value, bounds[0], bounds[1], bounds[2])
        default: throw error("a slice with more than three parts")
        }
    }

    /// Arguments in their brackets.
    mutating func arguments() throws(TokenizerError) -> TemplateArguments {
        var arguments = TemplateArguments()
        try expect(symbol: "(")
        var isFirst = true
        while !skip(symbol: ")") {
            if !isFirst {
                try expect(symbol: ",")
                if skip(symbol: ")") { break }
            }
            isFirst = false
            guard !isSymbol("*"), !isSymbol("**") else { throw error("arguments with * or ** are not supported") }
            if case .name(let name) = token.kind {
                let before = self
                advance()
                if skip(symbol: "=") {
                    arguments.named.append((name, try expression()))
                    continue
                }
                self = before
            }
            guard arguments.named.isEmpty else { throw error("an argument without a name after one with a name") }
            arguments.positional.append(try expression())
        }
        return arguments
    }

    /// Filters and tests after a value.
    private mutating func filters(_ start: TemplateExpression) throws(TokenizerError) -> TemplateExpression {
        var value = start
        var links = 0
        while true {
            let line = line
            if skip(symbol: "|") {
                let name = try identifier()
                let arguments = isSymbol("(") ? try arguments() : TemplateArguments()
                value = TemplateExpression(kind: .filter(value, name, arguments), line: line)
            } else if skip(name: "is") {
                value = try test(value, line)
            } else if isSymbol("(") {
                value = TemplateExpression(kind: .call(value, try arguments()), line: line)
            } else {
                return value
            }
            try count(&links)
        }
    }

    private mutating func test(_ value: TemplateExpression, _ line: Int) throws(TokenizerError) -> TemplateExpression {
        let isNegated = skip(name: "not")
        let name = try identifier()
        var arguments = TemplateArguments()
        if isSymbol("(") {
            arguments = try self.arguments()
        } else if startsTestArgument {
            let argument = try nested { (parser) throws(TokenizerError) in try parser.postfix(try parser.primary()) }
            arguments.positional = [argument]
        }
        return TemplateExpression(kind: .test(value, name, arguments, isNegated: isNegated), line: line)
    }

    private var startsTestArgument: Bool {
        switch token.kind {
        case .name(let name): !["else", "or", "and", "if", "in", "not", "is", "recursive"].contains(name)
        case .string, .integer, .number, .symbol("["), .symbol("{"): true
        default: false
        }
    }
}
