import Testing

@testable import LoadTesting

@Suite("Figures of a load")
struct LoadTallyTests {
    private let request = LoadRequest(prompt: 2, symbols: [], outputTokens: 3, seed: 0)

    private func outcome(
        _ begun: Int, _ pieces: [Int], _ ended: Int, tokens: Int? = nil, text: String = "x"
    ) -> LoadClient.Outcome {
        LoadClient.Outcome(
            begun: .milliseconds(begun), sent: .milliseconds(begun), ended: .milliseconds(ended),
            result: .success(
                LoadAnswer(
                    pieces: pieces.map { .milliseconds($0) }, text: text, finishReason: nil,
                    usage: tokens.map { .init(promptTokens: 10, cachedTokens: 4, generatedTokens: $0) })))
    }

    private func failed(_ kind: LoadFailure.Kind, _ detail: String, _ milliseconds: Int = 5) -> LoadClient.Outcome {
        LoadClient.Outcome(
            begun: .zero, sent: nil, ended: .milliseconds(milliseconds), result: .failure(LoadFailure(kind, detail)))
    }

    @Test("times count from the request's begin, gaps between pieces, speeds after the first token")
    func times() throws {
        var tally = LoadTally(streams: 1)
        tally.add(outcome(100, [150, 160, 190], 200, tokens: 3), of: request)
        #expect(try #require(tally.firstToken.summary).mean == 0.05)
        let gaps = try #require(tally.gaps.summary)
        #expect(gaps.count == 2 && abs(gaps.mean - 0.02) < 1e-9 && gaps.min == 0.01 && abs(gaps.max - 0.03) < 1e-9)
        #expect(abs(try #require(tally.longestGap.summary).max - 0.03) < 1e-9)
        #expect(abs(try #require(tally.endToEnd.summary).max - 0.1) < 1e-9)
        #expect(abs(try #require(tally.speeds.summary).mean - 50) < 1e-9)
        #expect(
            tally.doneCount == 1 && tally.generatedTokens == 3 && tally.promptTokens == 10 && tally.cachedTokens == 4)
        #expect(tally.endedEarly == 0)
    }

    @Test("an answer of one piece has no gap and no speed; one of none has no first token")
    func few() {
        var tally = LoadTally(streams: 1)
        tally.add(outcome(0, [5], 6), of: request)
        tally.add(outcome(0, [], 6, tokens: 2), of: request)
        #expect(tally.gaps.summary == nil && tally.longestGap.summary == nil && tally.speeds.summary == nil)
        #expect(tally.firstToken.summary?.count == 1 && tally.endToEnd.summary?.count == 2)
        #expect(tally.uncounted == 1 && tally.endedEarly == 2)
    }

    @Test("failures are counted by kind, each with what the first said; refusals have their time")
    func failures() {
        var tally = LoadTally(streams: 1)
        tally.add(failed(.broken, "one"), of: request)
        tally.add(failed(.broken, "two"), of: request)
        tally.add(failed(.refused(429), "full", 7), of: request)
        tally.add(failed(.status(500), "oh"), of: request)
        #expect(
            tally.failures == [
                .init(kind: .broken, count: 2, example: "one"), .init(kind: .refused(429), count: 1, example: "full"),
                .init(kind: .status(500), count: 1, example: "oh"),
            ])
        #expect(
            tally.failedCount == 4 && tally.refusedCount == 1 && tally.withoutRetryAfter == 1 && tally.doneCount == 0)
        #expect(tally.refusals.summary?.count == 1 && tally.endToEnd.summary == nil)
    }

    @Test("texts that are not as expected are counted, and the first is told")
    func texts() {
        var tally = LoadTally(streams: 1)
        tally.add(outcome(0, [1], 2, text: "abc"), of: request, expected: "abc")
        tally.add(outcome(0, [1], 2, text: "abd"), of: request, expected: "abc")
        tally.add(outcome(0, [1], 2, text: "ab"), of: request, expected: "abc")
        #expect(tally.differingTexts == 2)
        #expect(tally.firstDifference == "prompt 2: character 2: expected \"c\", got \"d\"")
    }

    @Test("the busy window opens with the last client's begin and closes with the first one's end")
    func window() {
        var tally = LoadTally(streams: 2)
        tally.beginStream(at: .milliseconds(0))
        tally.add(outcome(0, [50, 100], 100, tokens: 2), of: request)
        tally.beginStream(at: .milliseconds(100))
        // Three pieces after 100, two tokens each.
        tally.add(outcome(100, [150, 200, 250], 300, tokens: 6), of: request)
        tally.endStream(at: .milliseconds(300))
        // One piece before 300, one after.
        tally.add(outcome(100, [290, 310], 320, tokens: 2), of: request)
        tally.endStream(at: .milliseconds(320))
        #expect(tally.window.duration == .milliseconds(200) && tally.window.tokens == 7)
    }

    @Test("clients that are never all at it have no window")
    func noWindow() {
        var tally = LoadTally(streams: 2)
        tally.beginStream(at: .milliseconds(0))
        tally.endStream(at: .milliseconds(5))
        tally.beginStream(at: .milliseconds(9))
        tally.endStream(at: .milliseconds(10))
        #expect(tally.window.duration == nil)
    }

    @Test("tokens are counted in the second in which they came")
    func seconds() {
        var tally = LoadTally(streams: 1)
        tally.add(outcome(0, [500, 900, 2100, 2200], 2300, tokens: 8), of: request)
        #expect(tally.seconds == [4, 0, 4])
    }

    @Test("how late requests were sent is counted from when they were due; never below zero")
    func lateness() throws {
        var tally = LoadTally(streams: 0)
        tally.addSend(due: .milliseconds(10), sent: .milliseconds(13))
        tally.addSend(due: .milliseconds(20), sent: .milliseconds(19))
        let summary = try #require(tally.lateness.summary)
        #expect(summary.min == 0 && abs(summary.max - 0.003) < 1e-9)
    }
}
