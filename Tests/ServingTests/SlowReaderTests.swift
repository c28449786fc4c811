import Sharding
import Testing

@testable import Serving

@Suite("Readers that are slow")
struct SlowReaderTests {
    private func generation(_ texts: [String], logprobs: Bool) throws -> Generation {
        let engine = ScriptedEngine { request in
            request.prompt.map { .token(AcceptedToken(token: $0, logprob: -0.5)) } + [.finish(.stop)]
        }
        let choices = try texts.map { text in
            Generation.Choice(
                request: TokenRequest(prompt: try TestModel.tokens(text)),
                text: ChoiceText(
                    tokenizer: TestModel.tokenizer, isContinuation: false, endTokens: [TestModel.end], stops: [],
                    reportsLogprobs: logprobs))
        }
        return Generation(choices, engine: engine, pause: .seconds(3600), in: GenerationRegister())
    }

    @Test("no more text waits for a reader than the window allows, and none is lost", arguments: [false, true])
    func bounded(logprobs: Bool) async throws {
        let texts = ["a", "b", "c"].map { String(repeating: $0, count: 12_000) }
        let generation = try generation(texts, logprobs: logprobs)
        // There is more than the window allows, so that it fills before anything is read.
        while generation.events.window.bytes <= EventWindow.bytesMax { await Task.yield() }
        var read = ["", "", ""]
        var most = 0
        for await event in generation.events {
            most = max(most, generation.events.window.bytes)
            if case .text(let choice, let piece) = event { read[choice] += piece.text }
        }
        #expect(read == texts)
        // Each choice may have put one piece more before it waits.
        #expect(most <= EventWindow.bytesMax + 3 * 1024)
        #expect(generation.events.window.bytes == 0)
    }

    @Test("who waits for room goes on when the task is cancelled, before or while it waits")
    func cancelled() async {
        let window = EventWindow()
        window.put(EventWindow.bytesMax + 1)
        let waiter = Task { await window.room() }
        waiter.cancel()
        await waiter.value
        window.take(1)
        await window.room()
    }
}
