extension TemplateRun {
    /// How a list of statements ended.
    enum Outcome {
        case finished
        case brokeLoop
        case continuedLoop
    }

    func run(_ statements: [TemplateStatement]) throws(TokenizerError) -> Outcome {
        for statement in statements {
            try charge()
            line = statement.line
            let outcome = try run(statement)
            if outcome != .finished { return outcome }
        }
        return .finished
    }

    private func run(_ statement: TemplateStatement) throws(TokenizerError) -> Outcome {
        switch statement.kind {
        case .text(let text): try write(text)
        case .output(let expression): try write(try text(of: evaluate(expression)))
        case .ifElse(let branches, let alternative): return try runIf(branches, alternative)
        case .forEach(let loop): try runLoop(loop)
        case .set(let target, let expression): try assign(evaluate(expression), to: target)
        case .setBlock(let target, let body, let filters):
            let text = try captureScoped(body)
            try assign(apply(filters, to: .string(text)), to: target)
        case .macro(let macro): scope.set(macro.name, define(macro))
        case .callBlock(let call, let caller): try runCall(call, caller)
        case .filterBlock(let filters, let body):
            let text = try captureScoped(body)
            try write(try self.text(of: apply(filters, to: .string(text))))
        case .with(let assignments, let body): return try runWith(assignments, body)
        case .group(let body): return try nested { () throws(TokenizerError) in try run(body) }
        case .breakLoop: return .brokeLoop
        case .continueLoop: return .continuedLoop
        }
        return .finished
    }

    private func runIf(
        _ branches: [(TemplateExpression, [TemplateStatement])], _ alternative: [TemplateStatement]
    ) throws(TokenizerError) -> Outcome {
        for (condition, body) in branches where try evaluate(condition).isTrue {
            return try nested { () throws(TokenizerError) in try run(body) }
        }
        return try nested { () throws(TokenizerError) in try run(alternative) }
    }

    private func runWith(
        _ assignments: [(TemplateTarget, TemplateExpression)], _ body: [TemplateStatement]
    ) throws(TokenizerError) -> Outcome {
        let inner = TemplateScope(parent: scope)
        for (target, expression) in assignments {
            let value = try evaluate(expression)
            try inScope(inner) { () throws(TokenizerError) in try assign(value, to: target) }
        }
        return try nested { () throws(TokenizerError) in
            try inScope(inner) { () throws(TokenizerError) in try run(body) }
        }
    }

    private func captureScoped(_ body: [TemplateStatement]) throws(TokenizerError) -> String {
        try capture { () throws(TokenizerError) in
            try nested { () throws(TokenizerError) in
                try inScope(TemplateScope(parent: scope)) { () throws(TokenizerError) in _ = try run(body) }
            }
        }
    }

    private func runLoop(_ loop: TemplateLoop) throws(TokenizerError) {
        let items = try selected(loop)
        guard !items.isEmpty else {
            _ = try nested { () throws(TokenizerError) in
                try inScope(TemplateScope(parent: scope)) { () throws(TokenizerError) in try run(loop.alternative) }
            }
            return
        }
        let place = loops.count
        loops.append(TemplateLoopState(items: items))
        defer { loops.removeLast(loops.count - place) }
        for (index, item) in items.enumerated() {
            try charge()
            loops[place].index = index
            let inner = TemplateScope(parent: scope)
            inner.set("loop", .handle(.loop(place)))
            let outcome = try nested { () throws(TokenizerError) in
                try inScope(inner) { () throws(TokenizerError) in
                    try assign(item, to: loop.target)
                    return try run(loop.body)
                }
            }
            if outcome == .brokeLoop { return }
        }
    }

    /// The items that a loop's condition lets through; it sees the target, not `loop`.
    private func selected(_ loop: TemplateLoop) throws(TokenizerError) -> [JinjaValue] {
        let items = try self.items(of: try evaluate(loop.sequence))
        guard let condition = loop.condition else { return items }
        var selected: [JinjaValue] = []
        for item in items {
            try charge()
            let isSelected = try inScope(TemplateScope(parent: scope)) { () throws(TokenizerError) in
                try assign(item, to: loop.target)
                return try evaluate(condition).isTrue
            }
            if isSelected { selected.append(item) }
        }
        return selected
    }

    func assign(_ value: JinjaValue, to target: TemplateTarget) throws(TokenizerError) {
        switch target {
        case .name(let name): scope.set(name, value)
        case .names(let targets):
            let items = try items(of: value)
            guard items.count == targets.count else {
                throw error("expected \(targets.count) values to unpack, got \(items.count)")
            }
            for (target, item) in zip(targets, items) { try assign(item, to: target) }
        case .attribute(let name, let attribute):
            guard case .handle(.namespace(let place))? = scope.value(name) else {
                throw error(
                    "cannot set \(TokenizerError.quoted(attribute)): \(TokenizerError.quoted(name)) is no namespace")
            }
            namespaces[place][attribute] = value
        }
    }

    private func define(_ macro: TemplateMacro) -> JinjaValue {
        macros.append((macro, scope))
        return .handle(.macro(macros.count - 1))
    }

    private func runCall(_ call: TemplateExpression, _ caller: TemplateMacro) throws(TokenizerError) {
        guard case .call(let callee, let arguments) = call.kind else { return }
        guard case .handle(.macro(let place)) = try evaluate(callee) else {
            throw error("expected a macro after `call`")
        }
        let text = try self.call(macro: place, evaluated(arguments), caller: define(caller))
        try write(text)
    }

    func apply(_ filters: [TemplateFilterCall], to value: JinjaValue) throws(TokenizerError) -> JinjaValue {
        var value = value
        for filter in filters {
            line = filter.line
            value = try self.filter(filter.name, value, evaluated(filter.arguments))
        }
        return value
    }
}
