/// Adds up what happens in a run: events with their times in, figures out.
package struct LoadTally: Sendable {
    package struct Failures: Sendable, Hashable {
        package var kind: LoadFailure.Kind
        package var count: Int
        /// What the first of them said.
        package var example: String
    }

    package private(set) var doneCount = 0
    package private(set) var failures: [Failures] = []
    /// Answers whose texts are not those of the run before.
    package private(set) var differingTexts = 0
    /// Of the first of those: its prompt's number, and the place where it parts from what was expected.
    package private(set) var firstDifference: String?
    /// Answers that ended before they had the tokens that were asked for.
    package private(set) var endedEarly = 0
    package private(set) var promptTokens = 0
    package private(set) var cachedTokens = 0
    package private(set) var generatedTokens = 0
    package private(set) var pieceCount = 0
    /// Answers whose tokens the server did not count.
    package private(set) var uncounted = 0
    /// Refusals that did not say when to come again.
    package private(set) var withoutRetryAfter = 0

    private(set) var firstToken = Distribution.ofTimes
    private(set) var gaps = Distribution.ofTimes
    private(set) var longestGap = Distribution.ofTimes
    private(set) var endToEnd = Distribution.ofTimes
    private(set) var lateness = Distribution.ofTimes
    private(set) var refusals = Distribution.ofTimes
    private(set) var speeds = Distribution.ofSpeeds
    private(set) var window: BusyWindow
    /// Tokens that came in each second of the run.
    private(set) var seconds: [Double] = []

    private static let secondsMax = 1 << 20

    /// - Parameter streams: clients of a closed loop; 0 for an open one.
    package init(streams: Int) { window = BusyWindow(streams: streams) }

    package var failedCount: Int { failures.reduce(0) { $0 + $1.count } }
    package var refusedCount: Int { failures.reduce(0) { $0 + ($1.kind.isRefusal ? $1.count : 0) } }

    package mutating func beginStream(at time: Duration) { window.begin(at: time) }
    package mutating func endStream(at time: Duration) { window.end(at: time) }

    /// A request of an open loop: when it was due, and when it was written to its connection.
    package mutating func addSend(due: Duration, sent: Duration) { lateness.add(sent - due) }

    /// - Parameters:
    ///   - expected: the text of the same prompt alone; nil compares nothing.
    package mutating func add(_ outcome: LoadClient.Outcome, of request: LoadRequest, expected: String? = nil) {
        switch outcome.result {
        case .success(let answer): add(answer, outcome, request, expected)
        case .failure(let failure): add(failure, outcome)
        }
    }

    private mutating func add(_ failure: LoadFailure, _ outcome: LoadClient.Outcome) {
        if failure.kind.isRefusal {
            refusals.add(outcome.ended - outcome.begun)
            if failure.retryAfter == nil { withoutRetryAfter += 1 }
        }
        if let index = failures.firstIndex(where: { $0.kind == failure.kind }) {
            failures[index].count += 1
        } else {
            failures.append(Failures(kind: failure.kind, count: 1, example: failure.detail))
        }
    }

    private mutating func add(
        _ answer: LoadAnswer, _ outcome: LoadClient.Outcome, _ request: LoadRequest, _ expected: String?
    ) {
        doneCount += 1
        let tokens = answer.tokenCount
        generatedTokens += tokens
        pieceCount += answer.pieces.count
        promptTokens += answer.usage?.promptTokens ?? 0
        cachedTokens += answer.usage?.cachedTokens ?? 0
        if answer.usage == nil { uncounted += 1 }
        if tokens < request.outputTokens { endedEarly += 1 }
        if let expected, expected != answer.text {
            differingTexts += 1
            if firstDifference == nil { firstDifference = Self.difference(answer.text, expected, request) }
        }
        endToEnd.add(outcome.ended - outcome.begun)
        window.add(answer)
        guard let first = answer.pieces.first, let last = answer.pieces.last else { return }
        firstToken.add(first - outcome.begun)
        var longest = Duration.zero
        for (earlier, later) in zip(answer.pieces, answer.pieces.dropFirst()) {
            gaps.add(later - earlier)
            longest = max(longest, later - earlier)
        }
        if answer.pieces.count > 1 { longestGap.add(longest) }
        // What came with the first piece took the time to the first token, not that between tokens.
        if tokens > 1, last > first { speeds.add(Double(tokens - 1) / ((last - first) / .seconds(1))) }
        let tokensPerPiece = Double(tokens) / Double(answer.pieces.count)
        for piece in answer.pieces { count(tokensPerPiece, at: piece) }
    }

    private mutating func count(_ tokens: Double, at time: Duration) {
        let second = Int(time.components.seconds)
        guard (0..<Self.secondsMax).contains(second) else { return }
        if second >= seconds.count { seconds += Array(repeating: 0, count: second + 1 - seconds.count) }
        seconds[second] += tokens
    }

    private static func difference(_ text: String, _ expected: String, _ request: LoadRequest) -> String {
        let (found, wanted) = (Array(text), Array(expected))
        let place = zip(found, wanted).prefix { $0 == $1 }.count
        func rest(_ text: [Character]) -> String {
            place < text.count ? "\"\(String(text[place...].prefix(20)))\"" : "its end"
        }
        return "prompt \(request.prompt): character \(place): expected \(rest(wanted)), got \(rest(found))"
    }
}
