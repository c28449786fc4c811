import ModelFiles

/// One rendering of a template: its variables, its output, and what it has used of its limits.
///
/// Made and dropped within one call; nothing of it is shared.
final class TemplateRun {
    let name: String
    let limits: TemplateLimits
    let now: TemplateTime
    private let clock = ContinuousClock()
    private let deadline: ContinuousClock.Instant

    /// Line of the statement or expression at work, for errors.
    var line = 1
    private var steps = 0
    private var depth = 0
    private var nextTimeCheck = 0

    /// What is rendered now; inner texts (macros, `set` blocks) are on top.
    private var outputs: [String] = [""]
    /// Bytes in `outputs`.
    private var outputBytes = 0

    var scope: TemplateScope
    var namespaces: [JinjaMap] = []
    var macros: [(macro: TemplateMacro, scope: TemplateScope)] = []
    var loops: [TemplateLoopState] = []

    init(name: String, variables: JinjaMap, now: TemplateTime, limits: TemplateLimits) {
        self.name = name
        self.limits = limits
        self.now = now
        deadline = clock.now + limits.timeMax
        scope = TemplateScope(parent: nil)
        for (key, value) in zip(variables.keys, variables.values) {
            if case .string(let key) = key { scope.variables[ExactString(key)] = value }
        }
    }

    func render(_ statements: [TemplateStatement]) throws(TokenizerError) -> String {
        _ = try run(statements)
        return outputs[0]
    }

    // MARK: Limits

    func error(_ message: String, hint: String? = nil) -> TokenizerError {
        TokenizerError(.template, "\(name): line \(line)", message, hint: hint)
    }

    func unsupported(_ message: String, hint: String? = nil) -> TokenizerError {
        TokenizerError(.unsupported, "\(name): line \(line)", message, hint: hint)
    }

    private func limit(_ message: String) -> TokenizerError {
        TokenizerError(.limit, "\(name): line \(line)", message)
    }

    /// Counts work; the size of what is made counts too.
    func charge(_ count: Int = 1) throws(TokenizerError) {
        steps += count
        guard steps <= limits.stepsMax, count <= limits.stepsMax else {
            throw limit("more than \(limits.stepsMax) steps")
        }
        guard steps >= nextTimeCheck else { return }
        nextTimeCheck = steps + 2048
        guard clock.now <= deadline else { throw limit("rendering took longer than \(limits.timeMax)") }
    }

    /// Counts the bytes of a text that was made.
    func charge(bytes: Int) throws(TokenizerError) {
        guard bytes <= limits.outputBytesMax else { throw limit("a text of more than \(limits.outputBytesMax) bytes") }
        try charge(bytes / 64)
    }

    func nested<Value>(_ work: () throws(TokenizerError) -> Value) throws(TokenizerError) -> Value {
        depth += 1
        defer { depth -= 1 }
        guard depth <= limits.depthMax else { throw limit("more than \(limits.depthMax) levels inside each other") }
        return try work()
    }

    /// A list that was made, if it is not too deep.
    func made(_ value: JinjaValue) throws(TokenizerError) -> JinjaValue {
        guard value.depth <= limits.depthMax else { throw limit("values more than \(limits.depthMax) levels deep") }
        return value
    }

    // MARK: Output

    func write(_ text: String) throws(TokenizerError) {
        let bytes = text.utf8.count
        outputBytes += bytes
        guard outputBytes <= limits.outputBytesMax else {
            throw limit("an output of more than \(limits.outputBytesMax) bytes")
        }
        try charge(bytes / 64)
        outputs[outputs.count - 1] += text
    }

    /// The text that `work` writes, instead of writing it out.
    func capture(_ work: () throws(TokenizerError) -> Void) throws(TokenizerError) -> String {
        outputs.append("")
        var isPopped = false
        defer { if !isPopped { outputs.removeLast() } }
        try work()
        isPopped = true
        let text = outputs.removeLast()
        outputBytes -= text.utf8.count
        return text
    }

    // MARK: Scopes

    func inScope<Value>(
        _ inner: TemplateScope, _ work: () throws(TokenizerError) -> Value
    ) throws(TokenizerError) -> Value {
        let outer = scope
        scope = inner
        defer { scope = outer }
        return try work()
    }
}

/// Variables of a block; what is not here is looked for outside.
final class TemplateScope {
    var variables: [ExactString: JinjaValue] = [:]
    let parent: TemplateScope?

    init(parent: TemplateScope?) { self.parent = parent }

    func value(_ name: String) -> JinjaValue? {
        let key = ExactString(name)
        var scope: TemplateScope? = self
        while let here = scope {
            if let value = here.variables[key] { return value }
            scope = here.parent
        }
        return nil
    }

    func set(_ name: String, _ value: JinjaValue) { variables[ExactString(name)] = value }
}

/// What `loop` knows.
struct TemplateLoopState {
    let items: [JinjaValue]
    var index = 0
    var lastChanged: [JinjaValue]?

    init(items: [JinjaValue]) { self.items = items }

    func value(_ attribute: String) -> JinjaValue? {
        switch attribute {
        case "index": .integer(index + 1)
        case "index0": .integer(index)
        case "revindex": .integer(items.count - index)
        case "revindex0": .integer(items.count - index - 1)
        case "first": .bool(index == 0)
        case "last": .bool(index == items.count - 1)
        case "length": .integer(items.count)
        // Only recursive loops, which there are none of here, count deeper.
        case "depth": .integer(1)
        case "depth0": .integer(0)
        case "previtem": index > 0 ? items[index - 1] : .undefined("there is no previous item")
        case "nextitem": index + 1 < items.count ? items[index + 1] : .undefined("there is no next item")
        case "cycle", "changed": .handle(.method(attribute))
        default: nil
        }
    }
}
