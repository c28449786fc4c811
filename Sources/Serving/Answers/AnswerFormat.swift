import Sharding

/// How one endpoint words its answers: whole, and as the chunks of a stream.
protocol AnswerFormat: Sendable {
    associatedtype Choice: Encodable & Sendable
    associatedtype Chunk: Encodable & Sendable

    /// Begins every answer's id.
    static var idPrefix: String { get }
    static var object: String { get }
    static var chunkObject: String { get }

    /// What a choice's stream begins with.
    func opening(_ index: Int) -> Chunk?
    mutating func chunk(_ index: Int, _ piece: TextPiece) -> Chunk
    func ending(_ index: Int, _ reason: FinishReason) -> Chunk
    mutating func choice(_ index: Int, _ piece: TextPiece, _ reason: FinishReason) -> Choice
}

struct ChatFormat: AnswerFormat {
    static let idPrefix = "chatcmpl-"
    static let object = "chat.completion"
    static let chunkObject = "chat.completion.chunk"

    var reportsLogprobs: Bool

    func opening(_ index: Int) -> ChatChunkChoice? {
        chunk(index, ChatText(role: "assistant", content: ""))
    }

    func chunk(_ index: Int, _ piece: TextPiece) -> ChatChunkChoice {
        chunk(index, ChatText(content: piece.text), logprobs: logprobs(piece))
    }

    func ending(_ index: Int, _ reason: FinishReason) -> ChatChunkChoice {
        chunk(index, ChatText(), reason: reason.rawValue)
    }

    func choice(_ index: Int, _ piece: TextPiece, _ reason: FinishReason) -> ChatChoice {
        ChatChoice(
            index: index, message: ChatText(role: "assistant", content: piece.text),
            logprobs: Nullable(logprobs(piece)), finishReason: Nullable(reason.rawValue))
    }

    private func logprobs(_ piece: TextPiece) -> ChatLogprobs? {
        reportsLogprobs ? ChatLogprobs(piece.tokens) : nil
    }

    private func chunk(
        _ index: Int, _ delta: ChatText, logprobs: ChatLogprobs? = nil, reason: String? = nil
    ) -> ChatChunkChoice {
        ChatChunkChoice(index: index, delta: delta, logprobs: Nullable(logprobs), finishReason: Nullable(reason))
    }
}

struct TextFormat: AnswerFormat {
    static let idPrefix = "cmpl-"
    static let object = "text_completion"
    static let chunkObject = "text_completion"

    var reportsLogprobs: Bool
    /// Characters that each choice has had so far.
    private var offsets: [Int]
    /// What each choice begins with; empty where the prompt is not repeated.
    private let echoes: [String]

    init(reportsLogprobs: Bool, choiceCount: Int, echoes: [String] = []) {
        self.reportsLogprobs = reportsLogprobs
        self.echoes = echoes
        offsets = [Int](repeating: 0, count: choiceCount)
    }

    func opening(_ index: Int) -> TextChoice? {
        guard !echoes.isEmpty else { return nil }
        return TextChoice(index: index, text: echoes[index], logprobs: Nullable(nil), finishReason: Nullable(nil))
    }

    mutating func chunk(_ index: Int, _ piece: TextPiece) -> TextChoice {
        TextChoice(index: index, text: piece.text, logprobs: logprobs(index, piece), finishReason: Nullable(nil))
    }

    func ending(_ index: Int, _ reason: FinishReason) -> TextChoice {
        TextChoice(index: index, text: "", logprobs: Nullable(nil), finishReason: Nullable(reason.rawValue))
    }

    mutating func choice(_ index: Int, _ piece: TextPiece, _ reason: FinishReason) -> TextChoice {
        TextChoice(
            index: index, text: (echoes.isEmpty ? "" : echoes[index]) + piece.text, logprobs: logprobs(index, piece),
            finishReason: Nullable(reason.rawValue))
    }

    private mutating func logprobs(_ index: Int, _ piece: TextPiece) -> Nullable<TextLogprobs> {
        Nullable(reportsLogprobs ? TextLogprobs(piece.tokens, offset: &offsets[index]) : nil)
    }
}
