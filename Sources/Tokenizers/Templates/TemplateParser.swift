/// Makes statements of a template's tokens.
struct TemplateParser {
    private let tokens: [TemplateToken]
    private let name: String
    private var place = 0
    private var nesting = 0
    private var loopDepth = 0

    static func parse(_ source: String, name: String) throws(TokenizerError) -> [TemplateStatement] {
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: source, name: name), name: name)
        let (statements, _) = try parser.statements(until: [])
        return statements
    }

    private init(tokens: [TemplateToken], name: String) {
        self.tokens = tokens
        self.name = name
    }

    // MARK: Tokens

    var token: TemplateToken { tokens[place] }
    var line: Int { token.line }

    mutating func advance() { if place < tokens.count - 1 { place += 1 } }

    func error(_ message: String, line: Int? = nil, hint: String? = nil) -> TokenizerError {
        TokenizerError(.template, "\(name): line \(line ?? self.line)", message, hint: hint)
    }

    func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }
    func isName(_ name: String) -> Bool { token.kind == .name(name) }

    mutating func skip(symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    mutating func expect(symbol: String) throws(TokenizerError) {
        guard skip(symbol: symbol) else { throw error("expected `\(symbol)`, got \(described)") }
    }

    mutating func expect(name: String) throws(TokenizerError) {
        guard skip(name: name) else { throw error("expected `\(name)`, got \(described)") }
    }

    mutating func identifier() throws(TokenizerError) -> String {
        guard case .name(let name) = token.kind else { throw error("expected a name, got \(described)") }
        advance()
        return name
    }

    var described: String {
        switch token.kind {
        case .text: "text"
        case .outputBegin: "`{{`"
        case .outputEnd: "`}}`"
        case .blockBegin: "`{%`"
        case .blockEnd: "`%}`"
        case .name(let name): "`\(name)`"
        case .string(let text): "the string \(TokenizerError.quoted(text))"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .symbol(let symbol): "`\(symbol)`"
        case .end: "the end of the template"
        }
    }

    /// Bounds the recursion that a source can cause.
    mutating func nested<Value>(
        _ parse: (inout TemplateParser) throws(TokenizerError) -> Value
    ) throws(TokenizerError) -> Value {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= TemplateLimits.nestingMax else {
            throw TokenizerError(
                .limit, "\(name): line \(line)", "more than \(TemplateLimits.nestingMax) levels inside each other")
        }
        return try parse(&self)
    }

    // MARK: Statements

    /// Statements up to a block that begins with one of `ends`, which is passed up to its name.
    mutating func statements(
        until ends: Set<String>
    ) throws(TokenizerError) -> (statements: [TemplateStatement], end: String) {
        let startLine = line
        var statements: [TemplateStatement] = []
        while true {
            let line = line
            switch token.kind {
            case .end:
                guard ends.isEmpty else {
                    throw error(
                        "expected \(ends.sorted().joined(separator: " or ")), got the end of the template",
                        line: startLine)
                }
                return (statements, "")
            case .text(let text):
                advance()
                statements.append(TemplateStatement(kind: .text(text), line: line))
            case .outputBegin:
                advance()
                statements.append(TemplateStatement(kind: .output(try tuple()), line: line))
                guard token.kind == .outputEnd else { throw error("expected `}}`, got \(described)") }
                advance()
            default:
                advance()
                let keyword = try identifier()
                if ends.contains(keyword) { return (statements, keyword) }
                let kind = try nested { (parser) throws(TokenizerError) in try parser.block(keyword) }
                statements.append(TemplateStatement(kind: kind, line: line))
            }
        }
    }

    mutating func endBlock() throws(TokenizerError) {
        guard token.kind == .blockEnd else { throw error("expected `%}`, got \(described)") }
        advance()
    }

    /// The body of a block after its `%}`, up to and with its end.
    private mutating func body(until end: String) throws(TokenizerError) -> [TemplateStatement] {
        try endBlock()
        let (statements, _) = try statements(until: [end])
        try endBlock()
        return statements
    }

    private mutating func block(_ keyword: String) throws(TokenizerError) -> TemplateStatement.Kind {
        switch keyword {
        case "if": return try ifBlock()
        case "for": return try forBlock()
        case "set": return try setBlock()
        case "macro":
            let name = try identifier()
            return .macro(try macro(name, end: "endmacro"))
        case "call":
            let macro = TemplateMacro(name: "caller", parameters: isSymbol("(") ? try parameters() : [], body: [])
            return try callBlock(macro)
        case "filter":
            let filters = try filterChain()
            return .filterBlock(filters, try body(until: "endfilter"))
        case "with": return try withBlock()
        case "generation": return .group(try body(until: "endgeneration"))
        case "break", "continue":
            guard loopDepth > 0 else { throw error("`\(keyword)` outside of a loop") }
            try endBlock()
            return keyword == "break" ? .breakLoop : .continueLoop
        case "include", "import", "from", "extends", "block", "autoescape", "do", "trans", "debug":
            throw TokenizerError(.unsupported, "\(name): line \(line)", "`{% \(keyword) %}` is not supported")
        default:
            throw error("unexpected block \(TokenizerError.quoted(keyword))")
        }
    }

    private mutating func ifBlock() throws(TokenizerError) -> TemplateStatement.Kind {
        var branches: [(TemplateExpression, [TemplateStatement])] = []
        while true {
            let condition = try expression()
            try endBlock()
            let (body, end) = try statements(until: ["elif", "else", "endif"])
            branches.append((condition, body))
            if end == "elif" { continue }
            let alternative = end == "else" ? try self.body(until: "endif") : []
            if end == "endif" { try endBlock() }
            return .ifElse(branches, alternative)
        }
    }

    private mutating func forBlock() throws(TokenizerError) -> TemplateStatement.Kind {
        let target = try targets()
        try expect(name: "in")
        let sequence = try tuple(withConditional: false)
        let condition = skip(name: "if") ? try expression() : nil
        if isName("recursive") {
            throw TokenizerError(.unsupported, "\(name): line \(line)", "recursive loops are not supported")
        }
        try endBlock()
        loopDepth += 1
        let (body, end) = try statements(until: ["else", "endfor"])
        loopDepth -= 1
        let alternative = end == "else" ? try self.body(until: "endfor") : []
        if end == "endfor" { try endBlock() }
        return .forEach(
            TemplateLoop(
                target: target, sequence: sequence, condition: condition, body: body, alternative: alternative))
    }

    private mutating func setBlock() throws(TokenizerError) -> TemplateStatement.Kind {
        let target = try targets(withAttributes: true)
        if skip(symbol: "=") {
            let value = try tuple()
            try endBlock()
            return .set(target, value)
        }
        let filters = skip(symbol: "|") ? try filterChain() : []
        return .setBlock(target, try body(until: "endset"), filters: filters)
    }

    private mutating func withBlock() throws(TokenizerError) -> TemplateStatement.Kind {
        var assignments: [(TemplateTarget, TemplateExpression)] = []
        while token.kind != .blockEnd {
            if !assignments.isEmpty { try expect(symbol: ",") }
            let target = try TemplateTarget.name(identifier())
            try expect(symbol: "=")
            assignments.append((target, try expression()))
        }
        return .with(assignments, try body(until: "endwith"))
    }

    private mutating func callBlock(_ caller: TemplateMacro) throws(TokenizerError) -> TemplateStatement.Kind {
        let call = try expression()
        guard case .call = call.kind else { throw error("expected a call after `call`", line: call.line) }
        var caller = caller
        caller.body = try outsideOfLoops { (parser) throws(TokenizerError) in try parser.body(until: "endcall") }
        return .callBlock(call, caller)
    }

    private mutating func macro(_ name: String, end: String) throws(TokenizerError) -> TemplateMacro {
        let parameters = try parameters()
        let body = try outsideOfLoops { (parser) throws(TokenizerError) in try parser.body(until: end) }
        return TemplateMacro(name: name, parameters: parameters, body: body)
    }

    /// A macro's body cannot leave the loop around its definition.
    private mutating func outsideOfLoops<Value>(
        _ parse: (inout TemplateParser) throws(TokenizerError) -> Value
    ) throws(TokenizerError) -> Value {
        let outer = loopDepth
        loopDepth = 0
        defer { loopDepth = outer }
        return try parse(&self)
    }

    private mutating func parameters() throws(TokenizerError) -> [(name: String, standard: TemplateExpression?)] {
        var parameters: [(name: String, standard: TemplateExpression?)] = []
        try expect(symbol: "(")
        while !skip(symbol: ")") {
            if !parameters.isEmpty {
                try expect(symbol: ",")
                if skip(symbol: ")") { break }
            }
            let name = try identifier()
            parameters.append((name, skip(symbol: "=") ? try expression() : nil))
        }
        return parameters
    }

    /// Filters after `filter` or a `|`.
    private mutating func filterChain() throws(TokenizerError) -> [TemplateFilterCall] {
        var filters: [TemplateFilterCall] = []
        repeat {
            let line = line
            let name = try identifier()
            filters.append(
                TemplateFilterCall(
                    name: name, arguments: isSymbol("(") ? try arguments() : TemplateArguments(), line: line))
        } while skip(symbol: "|") && filters.count < TemplateLimits.chainMax
        return filters
    }

    /// `a`, `a, b`, `(a, b)`, or `namespace.field`.
    private mutating func targets(withAttributes: Bool = false) throws(TokenizerError) -> TemplateTarget {
        var targets: [TemplateTarget] = []
        var isTuple = false
        while true {
            if skip(symbol: "(") {
                targets.append(try nested { (parser) throws(TokenizerError) in try parser.targets() })
                try expect(symbol: ")")
            } else {
                let name = try identifier()
                if withAttributes, skip(symbol: ".") {
                    targets.append(.attribute(name, try identifier()))
                } else {
                    targets.append(.name(name))
                }
            }
            guard skip(symbol: ",") else { break }
            isTuple = true
            if isName("in") || isSymbol("=") || isSymbol(")") { break }
        }
        return isTuple ? .names(targets) : targets[0]
    }
}
