import Sharding

/// What stays the same over an answer, and what adds up.
struct Answer<Format: AnswerFormat>: Sendable {
    let id: String
    /// Unix time, seconds.
    let created: Int
    let model: String
    let includesUsage: Bool
    /// Tokens of the prompts, each counted once however many choices it has.
    let promptTokens: Int
    var format: Format
    private let choicesPerPrompt: Int
    private var endings: [Generation.Ending?]

    init(
        id: String, created: Int, model: String, fields: GenerationFields, promptTokens: Int, choiceCount: Int,
        format: Format
    ) {
        self.id = Format.idPrefix + id
        self.created = created
        self.model = model
        self.includesUsage = fields.includesUsage
        self.promptTokens = promptTokens
        self.format = format
        choicesPerPrompt = fields.choiceCount
        endings = [Generation.Ending?](repeating: nil, count: choiceCount)
    }

    var isComplete: Bool { endings.allSatisfy { $0 != nil } }

    mutating func finish(_ choice: Int, _ ending: Generation.Ending) { endings[choice] = ending }

    private var usage: Usage {
        Usage(
            promptTokens: promptTokens, cachedTokens: cachedTokens,
            completionTokens: endings.reduce(0) { $0 + ($1?.timings.generatedTokens ?? 0) })
    }

    /// Of each prompt what its first choice found: the others begin with that one's state.
    private var cachedTokens: Int {
        let choices = endings.map { $0?.timings.cachedTokens ?? 0 }
        return stride(from: 0, to: choices.count, by: choicesPerPrompt).reduce(0) { sum, first in
            sum + (choices[first..<min(first + choicesPerPrompt, choices.count)].min() ?? 0)
        }
    }

    private var timings: Timings? {
        guard isComplete else { return nil }
        let endings = endings.compactMap { $0 }
        let wireBytes = endings.map(\.wireBytes)
        let known = wireBytes.compactMap { $0 }
        return Timings(
            endings.map(\.timings), wireBytes: known.count == wireBytes.count ? known.reduce(0, saturatingSum) : nil)
    }

    // MARK: Whole

    /// - Parameter pieces: each choice's text.
    mutating func whole(_ pieces: [TextPiece]) -> Completion<Format.Choice> {
        let choices = pieces.enumerated().map { index, piece in
            format.choice(index, piece, endings[index]?.reason ?? .stop)
        }
        return Completion(
            id: id, object: Format.object, created: created, model: model, choices: choices,
            usage: Nullable(usage), timings: timings)
    }

    // MARK: Chunks

    func chunk(_ choice: Format.Chunk) -> Completion<Format.Chunk> {
        chunk([choice], usage: nil, timings: nil)
    }

    /// A choice's last chunk; the last choice's brings the timings.
    func ending(_ index: Int, _ reason: FinishReason) -> Completion<Format.Chunk> {
        chunk([format.ending(index, reason)], usage: nil, timings: timings)
    }

    /// The chunk after all choices, for a stream that asked for it.
    var usageChunk: Completion<Format.Chunk>? {
        includesUsage ? chunk([], usage: usage, timings: nil) : nil
    }

    private func chunk(_ choices: [Format.Chunk], usage: Usage?, timings: Timings?) -> Completion<Format.Chunk> {
        Completion(
            id: id, object: Format.chunkObject, created: created, model: model, choices: choices,
            usage: includesUsage ? Nullable(usage) : nil, timings: timings)
    }
}
