/// One message of a conversation, as templates see it.
package struct ChatMessage: Sendable {
    /// `system`, `user`, `assistant`, `tool`.
    package var role: String
    package var content: JinjaValue
    /// Further fields (`name`, `tool_calls`, `tool_call_id`, …), in order.
    package var fields: [(String, JinjaValue)]

    package init(role: String, content: String) {
        self.init(role: role, content: .string(content), fields: [])
    }

    package init(role: String, content: JinjaValue, fields: [(String, JinjaValue)]) {
        self.role = role
        self.content = content
        self.fields = fields
    }

    var value: JinjaValue {
        var map = JinjaMap()
        map["role"] = .string(role)
        map["content"] = content
        for (name, value) in fields { map[name] = value }
        return .map(map)
    }
}
