import Sharding

/// What a cluster and one process both compute, so that their answers can be compared: the same for the same model and seed.
package struct VerificationWork: Sendable, Hashable {
    /// Tokens whose logits are compared, all of them.
    package struct Sequence: Sendable, Hashable {
        package var tokens: [TokenID]
        /// Rows of a step at most, one pass through the cluster for each.
        package var chunks: [Int]
    }

    package private(set) var sequences: [Sequence] = []
    /// Answers that are generated, greedy and sampled, by themselves and all at once.
    package private(set) var requests: [TokenRequest] = []
    /// Positions that the longest of it takes.
    package private(set) var positionsMax = 0

    /// The longest sequence: it crosses the border of an attention span, which is at 512.
    package static let lengthMaxDefault = 530
    package static let seedDefault: UInt64 = 1
    private static let lengths = [1, 9, 40, 130]
    private static let promptLengths = [1, 5, 17, 33, 48, 64]
    private static let answerTokensMax = 24
    private static let topLogprobCount = 5

    /// - Parameters:
    ///   - text: tokens that the sequences are cut from; `words(_:seed:)` makes some. Ids of the seed stand for those that
    ///     are missing.
    ///   - lengthMax: of the longest sequence, as far as the context goes.
    ///   - rowsMax: rows of a cluster's largest step.
    package init(
        text: [TokenID], vocabularySize: Int, contextLength: Int, seed: UInt64 = seedDefault,
        lengthMax: Int = lengthMaxDefault, rowsMax: Int
    ) {
        precondition(contextLength > 0 && vocabularySize > 0, "a model has a context and a vocabulary")
        var source = SeededNumbers(seed: seed)
        let longest = max(1, min(lengthMax, contextLength))
        let shorter = Self.lengths.filter { $0 < longest }
        var text = text.filter { $0 >= 0 && Int($0) < vocabularySize }
        while text.count < longest { text.append(TokenID(source.next(below: vocabularySize))) }
        for length in shorter + [longest] {
            // One of any ids: what text is made of does not reach all of a vocabulary.
            let isMixed = length == shorter.last
            let tokens = (0..<length).map { isMixed ? TokenID(source.next(below: vocabularySize)) : text[$0] }
            let chunks = length <= 40 ? [1, 7, rowsMax] : [64, rowsMax]
            sequences.append(Sequence(tokens: tokens, chunks: Set(chunks.map { min($0, length) }).sorted()))
        }
        let answerTokens = min(Self.answerTokensMax, contextLength / 2)
        for (index, length) in Self.promptLengths.enumerated() where answerTokens > 0 {
            let count = min(length, contextLength - answerTokens, text.count)
            let start = source.next(below: text.count - count + 1)
            requests.append(
                TokenRequest(
                    prompt: Array(text[start..<start + count]), sampling: Self.sampling(index, seed: seed),
                    choice: index, maxTokens: answerTokens))
        }
        positionsMax = max(longest, requests.map { $0.prompt.count + answerTokens }.max() ?? 0)
    }

    private static func sampling(_ index: Int, seed: UInt64) -> SamplingParameters {
        var sampling = SamplingParameters(seed: seed, topLogprobCount: topLogprobCount)
        guard index % 2 == 1 else { return sampling }
        sampling.temperature = 0.9
        sampling.topP = 0.95
        sampling.repetitionPenalty = 1.1
        sampling.frequencyPenalty = 0.2
        return sampling
    }

    /// What goes on from an answer: its prompt, the answer, and its prompt again, as far as there is room.
    func followUp(_ request: TokenRequest, _ answer: [TokenID]) -> TokenRequest {
        var next = request
        let room = positionsMax - request.prompt.count - answer.count
        next.prompt += answer + request.prompt.prefix(max(0, room / 2))
        next.maxTokens = min(request.maxTokens ?? 1, positionsMax - next.prompt.count)
        return next
    }

    /// Words in an order of the seed: text that any tokenizer can take.
    package static func words(_ count: Int, seed: UInt64) -> String {
        var numbers = SeededNumbers(seed: seed)
        return (0..<count).map { _ in vocabulary[numbers.next(below: vocabulary.count)] }.joined(separator: " ")
    }

    private static let vocabulary = [
        "the", "a", "river", "mountain", "clock", "seven", "42", "of", "and", "because", "never", "light", "window.",
        "Once", "upon", "time,", "what", "is", "9", "plus", "machine", "blue", "over", "under", "slowly", "letter",
        "they", "said:", "\"No\",", "walking", "home", "again.", "Zürich", "naïve", "1999", "(x", "+", "y)", "return",
        "question?",
    ]
}

/// Numbers of a seed, the same on every machine: SplitMix64.
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ value >> 31) % UInt64(max(1, bound)))
    }
}
