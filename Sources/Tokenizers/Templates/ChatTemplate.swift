/// A template that makes a prompt of a conversation: the part of Jinja that chat templates use.
package struct ChatTemplate: Sendable {
    package let name: String
    package let source: String
    private let statements: [TemplateStatement]
    private let limits: TemplateLimits

    /// - Parameter name: names the template in errors: `template NAME: line N: …`.
    package init(
        source: String, name: String = "chat", limits: TemplateLimits = .standard
    ) throws(TokenizerError) {
        self.name = name
        self.source = source
        self.limits = limits
        guard source.utf8.count <= limits.sourceBytesMax else {
            throw TokenizerError(
                .limit, "template \(name)", "\(source.utf8.count) bytes, at most \(limits.sourceBytesMax) are read")
        }
        statements = try TemplateParser.parse(source, name: "template \(name)")
    }

    /// Renders with these variables; what they do not name is undefined.
    ///
    /// - Parameter now: what `strftime_now` formats.
    /// - Throws: ``TokenizerError`` `.raised` when the template refuses the conversation.
    package func render(_ variables: JinjaMap, now: TemplateTime = .current()) throws(TokenizerError) -> String {
        let run = TemplateRun(name: "template \(name)", variables: variables, now: now, limits: limits)
        return try run.render(statements)
    }

    /// Renders a conversation.
    ///
    /// - Parameters:
    ///   - tokenizer: gives `bos_token` and `eos_token`; the prompt is then encoded without `addSpecial`, as
    ///     templates write these tokens themselves.
    ///   - addGenerationPrompt: whether the prompt ends with the beginning of an answer.
    ///   - tools: a list of functions, or nil.
    ///   - variables: further ones; they win over all others.
    package func render(
        _ messages: [ChatMessage], tokenizer: Tokenizer?, addGenerationPrompt: Bool = true, tools: JinjaValue? = nil,
        variables: JinjaMap = JinjaMap(), now: TemplateTime = .current()
    ) throws(TokenizerError) -> String {
        var all = tokenizer.map { JinjaMap().adding(tokensOf: $0) } ?? JinjaMap()
        all["messages"] = .list(messages.map(\.value))
        all["add_generation_prompt"] = .bool(addGenerationPrompt)
        if let tools { all["tools"] = tools }
        for (key, value) in zip(variables.keys, variables.values) {
            if case .string(let key) = key { all[key] = value }
        }
        return try render(all, now: now)
    }
}

extension JinjaMap {
    /// With `bos_token` and `eos_token`, where the tokenizer has them and they are not there yet.
    package func adding(tokensOf tokenizer: Tokenizer) -> JinjaMap {
        var map = self
        for (name, token) in [("bos_token", tokenizer.beginToken), ("eos_token", tokenizer.endToken)] {
            guard map[name] == nil, let token, let text = tokenizer.text(of: token) else { continue }
            map[name] = .string(text)
        }
        return map
    }
}
