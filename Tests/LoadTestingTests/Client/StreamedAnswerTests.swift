import Testing

@testable import LoadTesting

@Suite("Streamed answers")
struct StreamedAnswerTests {
    private func answer(_ parts: [(String, Int)]) throws -> LoadAnswer {
        var answer = StreamedAnswer()
        for (text, milliseconds) in parts {
            try Array(text.utf8).withUnsafeBytes { try answer.receive($0, at: .milliseconds(milliseconds)) }
        }
        return try answer.finish()
    }

    private func failure(_ text: String) throws -> LoadFailure? {
        #expect(throws: LoadFailure.self) { try answer([(text, 1)]) }
    }

    @Test("pieces have the times at which their events ended; those without text are none")
    func times() throws {
        let answer = try answer([
            ("data: {\"choices\": [{\"delta\": {\"role\": \"assistant\", \"content\": \"\"}}]}\n\n", 1),
            ("data: {\"choices\": [{\"text\": \"a\"}]}\n\ndata: {\"choices\": [{\"te", 5),
            ("xt\": \"b\"}]}\n", 7), ("\n", 9),
            (
                "data: {\"choices\": [{\"delta\": {\"reasoning_content\": \"c\"}, \"finish_reason\": \"length\"}]}\n\n",
                12
            ),
            ("data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 4, \"completion_tokens\": 3}}\n\n", 13),
            ("data: [DONE]\n\n", 14),
        ])
        #expect(answer.pieces == [5, 9, 12].map { .milliseconds($0) })
        #expect(answer.text == "abc" && answer.finishReason == "length" && answer.tokenCount == 3)
        #expect(answer.usage == .init(promptTokens: 4, cachedTokens: 0, generatedTokens: 3))
    }

    @Test("without counts of the server, pieces are tokens; a null count is none")
    func withoutUsage() throws {
        let answer = try answer([("data: {\"choices\": [{\"text\": \"a\"}], \"usage\": null}\n\ndata: [DONE]\n\n", 1)])
        #expect(answer.usage == nil && answer.tokenCount == 1)
    }

    @Test("cached tokens are told apart")
    func cached() throws {
        let usage =
            "{\"prompt_tokens\": 9, \"completion_tokens\": 0, \"prompt_tokens_details\": {\"cached_tokens\": 8}}"
        let answer = try answer([("data: {\"choices\": [], \"usage\": \(usage)}\n\ndata: [DONE]\n\n", 1)])
        #expect(answer.usage?.cachedTokens == 8)
    }

    @Test("a stream without [DONE] is broken, however good it looks")
    func broken() throws {
        #expect(
            try failure("data: {\"choices\": [{\"text\": \"a\", \"finish_reason\": \"stop\"}]}\n\n")?.kind == .broken)
        #expect(try failure("")?.kind == .broken)
        #expect(try failure("data: [DONE]\n")?.kind == .broken)
    }

    @Test("an error in the stream fails it, with what the server says")
    func errorEvent() throws {
        let failure = try failure("data: {\"error\": {\"message\": \"worker b was lost\"}}\n\ndata: [DONE]\n\n")
        #expect(failure?.kind == .errorEvent && failure?.detail == "worker b was lost")
    }

    @Test(
        "what is no chunk is malformed",
        arguments: [
            "data: x\n\n", "data: {\"choices\": 7}\n\n", "data: []\n\n", "data: [DONE]\n\ndata: {\"choices\": []}\n\n",
            "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": -1, \"completion_tokens\": 1}}\n\n",
            "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 1}}\n\n",
            "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 1, \"completion_tokens\": 1e300}}\n\n",
        ])
    func malformed(text: String) throws {
        #expect(try failure(text)?.kind == .malformed)
    }
}
