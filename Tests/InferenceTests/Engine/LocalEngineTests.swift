import Devices
import Inference
import Sharding
import Tensors
import Testing

@Suite("Local engine")
struct LocalEngineTests {
    private func makeEngine(
        sequencesMax: Int = 4, blocks: Int = 32, contextLength: Int = 200, shards: Int = 1
    ) async throws -> LocalEngine {
        try await LocalEngine(
            LocalEngine.Options(name: "test", sequencesMax: sequencesMax)
        ) { () throws(InferenceError) in
            do {
                return try TestModel(.q8_0).chain(
                    shards: shards, rowsMax: 16, contextLength: contextLength, cacheBlockCount: blocks)
            } catch {
                throw InferenceError(.device, place: "test", "no chain", cause: error)
            }
        }
    }

    private func collect(_ stream: TokenStream) async throws -> (tokens: [TokenID], reason: FinishReason?) {
        var tokens: [TokenID] = []
        for try await event in stream {
            switch event {
            case .begun: continue
            case .token(let token): tokens.append(token.token)
            case .finished(let reason, _): return (tokens, reason)
            }
        }
        return (tokens, nil)
    }

    @Test("several requests at once give what each gives alone")
    func interleaving() async throws {
        let model = TestModel(.q8_0)
        let requests = (0..<6).map { index in
            TokenRequest(
                prompt: model.tokens(5 + 17 * index, seed: UInt64(index + 1)),
                sampling: SamplingParameters(temperature: index % 2 == 0 ? 0 : 1, topK: 20, seed: UInt64(index)),
                choice: index, maxTokens: 12)
        }
        var alone: [[TokenID]] = []
        for request in requests {
            alone.append(try await collect(makeEngine(shards: 2).generate(request)).tokens)
        }
        let engine = try await makeEngine()
        let together = try await withThrowingTaskGroup(of: (Int, [TokenID]).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, try await collect(engine.generate(request)).tokens) }
            }
            return try await group.reduce(into: requests.map { _ in [TokenID]() }) { $0[$1.0] = $1.1 }
        }
        #expect(together == alone)
        #expect(alone.allSatisfy { $0.count == 12 })
    }

    @Test("an abandoned stream frees its place for the next request")
    func cancellation() async throws {
        // One sequence at a time, and a cache for one: the second can only run when the first is gone.
        let engine = try await makeEngine(sequencesMax: 1, blocks: 4)
        let model = TestModel(.q8_0)
        for round in 0..<3 {
            let stream = try await engine.generate(TokenRequest(prompt: model.tokens(10, seed: UInt64(round + 1))))
            for try await event in stream {
                if case .token = event { break }
            }
        }
        let last = try await collect(engine.generate(TokenRequest(prompt: model.tokens(3), maxTokens: 2)))
        #expect(last.tokens.count == 2)
        #expect(last.reason == .length)
    }

    @Test("a cancelled task's request frees its place too")
    func cancelledTask() async throws {
        let engine = try await makeEngine(sequencesMax: 1, blocks: 4)
        let prompt = TestModel(.q8_0).tokens(10)
        let task = Task { try await collect(engine.generate(TokenRequest(prompt: prompt))) }
        task.cancel()
        _ = try? await task.value
        #expect(try await collect(engine.generate(TokenRequest(prompt: prompt, maxTokens: 2))).tokens.count == 2)
    }

    @Test("embeddings asked for together, and beside what generates, are those asked for alone")
    func embeddings() async throws {
        let model = TestModel(.q8_0)
        let texts = (0..<6).map { model.tokens(1 + 39 * $0, seed: UInt64($0 + 1)) }
        var alone: [[Float]] = []
        for text in texts.dropLast() {
            alone.append(try await makeEngine(shards: 2).embedding(of: EmbeddingRequest(tokens: text)).values)
        }
        let engine = try await makeEngine(blocks: 16)
        async let answer = collect(try await engine.generate(TokenRequest(prompt: texts[1], maxTokens: 30)))
        let together = try await withThrowingTaskGroup(of: (Int, Embedding).self) { group in
            for (index, text) in texts.dropLast().enumerated() {
                group.addTask { (index, try await engine.embedding(of: EmbeddingRequest(tokens: text))) }
            }
            return try await group.reduce(into: [Int: Embedding]()) { $0[$1.0] = $1.1 }
        }
        for index in alone.indices {
            #expect(together[index]?.values == alone[index])
            #expect(together[index]?.timings.promptTokens == texts[index].count)
            #expect(alone[index].count == engine.model.hiddenSize && alone[index].allSatisfy { $0.isFinite })
        }
        #expect(try await answer.tokens.count == 30)
    }

    @Test("what cannot be embedded is refused, a full context can")
    func embeddingLimits() async throws {
        let engine = try await makeEngine()
        let full = Array(repeating: TokenID(3), count: 200)
        #expect(try await engine.embedding(of: EmbeddingRequest(tokens: full)).values.count == 96)
        for (tokens, code) in [
            ([], EngineError.Code.invalidRequest), ([301], .invalidRequest), ([-1], .invalidRequest),
            (full + [1], .contextLengthExceeded),
        ] {
            let error = await #expect(throws: EngineError.self) {
                try await engine.embedding(of: EmbeddingRequest(tokens: tokens))
            }
            #expect(error?.code == code)
        }
    }

    @Test("an embedding whose task is cancelled ends, and frees its place")
    func cancelledEmbedding() async throws {
        let engine = try await makeEngine(sequencesMax: 1, blocks: 4)
        let long = EmbeddingRequest(tokens: TestModel(.q8_0).tokens(200))
        for _ in 0..<3 {
            let task = Task { try await engine.embedding(of: long) }
            task.cancel()
            _ = try? await task.value
        }
        #expect(try await engine.embedding(of: EmbeddingRequest(tokens: [1])).values.count == 96)
        engine.stop()
        await #expect(throws: EngineError.self) { try await engine.embedding(of: long) }
    }

    @Test("a prompt that does not fit names both numbers")
    func tooLong() async throws {
        let engine = try await makeEngine()
        let prompt = TestModel(.q8_0).tokens(250)
        let error = await #expect(throws: EngineError.self) {
            _ = try await engine.generate(TokenRequest(prompt: prompt))
        }
        #expect(error?.code == .contextLengthExceeded)
        #expect(error?.message.contains("250 tokens do not fit a context of 200") == true)
    }

    @Test("an engine that stopped refuses, and its streams end with an error")
    func stopping() async throws {
        let engine = try await makeEngine()
        let prompt = TestModel(.q8_0).tokens(10)
        let stream = try await engine.generate(TokenRequest(prompt: prompt))
        engine.stop()
        await #expect(throws: EngineError.self) { _ = try await collect(stream) }
        await #expect(throws: EngineError.self) { _ = try await engine.generate(TokenRequest(prompt: prompt)) }
    }

    @Test("what fails while loading is thrown")
    func loadFailure() async {
        await #expect(throws: InferenceError.self) {
            _ = try await LocalEngine(LocalEngine.Options(name: "test")) { () throws(InferenceError) in
                throw InferenceError(.missingTensor, place: "blk.0", "gone")
            }
        }
    }
}
