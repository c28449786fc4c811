/// An optional whose absence is written, as `null`.
struct Nullable<Wrapped: Encodable & Sendable>: Encodable, Sendable {
    var value: Wrapped?

    init(_ value: Wrapped?) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }
}

/// A whole answer of `POST /v1/chat/completions` or `/v1/completions`, or one chunk of its stream.
struct Completion<Choice: Encodable & Sendable>: Encodable, Sendable {
    var id: String
    var object: String
    /// Unix time, seconds.
    var created: Int
    var model: String
    var choices: [Choice]
    /// Absent in chunks of a stream that was not asked for it, null in all but the last of one that was.
    var usage: Nullable<Usage>?
    /// With a whole answer and with a stream's last choice.
    var timings: Timings?
}

struct Usage: Encodable, Sendable, Hashable {
    var promptTokens: Int
    var completionTokens: Int
    var totalTokens: Int
    var promptTokensDetails: PromptDetails

    struct PromptDetails: Encodable, Sendable, Hashable {
        /// Whose state was there already.
        var cachedTokens: Int
    }

    init(promptTokens: Int, cachedTokens: Int, completionTokens: Int) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        // Counts of tokens that were in memory: no overflow.
        self.totalTokens = promptTokens + completionTokens
        promptTokensDetails = PromptDetails(cachedTokens: cachedTokens)
    }
}

/// A message in a whole answer, or its next piece in a stream.
struct ChatText: Encodable, Sendable {
    var role: String?
    var content: String?
}

struct ChatChoice: Encodable, Sendable {
    var index: Int
    var message: ChatText
    var logprobs: Nullable<ChatLogprobs>
    var finishReason: Nullable<String>
}

struct ChatChunkChoice: Encodable, Sendable {
    var index: Int
    var delta: ChatText
    var logprobs: Nullable<ChatLogprobs>
    var finishReason: Nullable<String>
}

struct TextChoice: Encodable, Sendable {
    var index: Int
    var text: String
    var logprobs: Nullable<TextLogprobs>
    var finishReason: Nullable<String>
}
