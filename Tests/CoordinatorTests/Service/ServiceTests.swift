import Foundation
import Logging
import Sharding
import Testing
import Threads
import ZeroMQ

@testable import Coordinator

/// The service with its sockets and threads, over loopback, with workers that follow a script.
@Suite("Service", .serialized, .timeLimit(.minutes(2)))
struct ServiceTests {
    private static let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Models/demo/demo-q8_0.gguf").path

    /// A cluster whose workers others start.
    private func cluster(_ names: [String] = ["a"], change: (inout ClusterOptions) -> Void = { _ in }) async throws
        -> Cluster
    {
        var workers = names.map { WorkerSettings(local: $0) }
        for index in workers.indices { workers[index].start = .external }
        var options = ClusterOptions(
            name: "demo", workers: workers, contextLength: 64, maxRows: 16)
        options.deadlines.heartbeat = HeartbeatSettings(interval: .milliseconds(100), deadAfter: .milliseconds(600))
        change(&options)
        return try await Cluster.start(
            options, model: try ClusterModel.open(Self.source),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func collect(_ stream: TokenStream) async throws -> (tokens: [TokenID], timings: GenerationTimings?) {
        var tokens: [TokenID] = []
        var timings: GenerationTimings?
        for try await event in stream {
            switch event {
            case .begun: continue
            case .token(let token): tokens.append(token.token)
            case .finished(_, let end): timings = end
            }
        }
        return (tokens, timings)
    }

    @Test("requests come back as tokens, several at once, with their bytes on the wire counted")
    func tokens() async throws {
        let cluster = try await cluster()
        async let end: Void = cluster.run()
        let worker = try ScriptedWorker(
            "a", control: cluster.endpoints.control,
            script: .counting(vocabularySize: cluster.engine.model.vocabularySize))
        #expect(await cluster.waitUntilReady())
        async let first = collect(
            try await cluster.engine.generate(TokenRequest(prompt: Array(0..<40), maxTokens: 5)))
        async let second = collect(try await cluster.engine.generate(TokenRequest(prompt: [1, 2], maxTokens: 3)))
        #expect(try await first.tokens == [40, 41, 42, 43, 44])
        let (tokens, timings) = try await second
        #expect(tokens == [2, 3, 4])
        #expect(timings?.wireBytes ?? 0 > 3000 / 40)
        await cluster.stop()
        try await end
        worker.stop()
    }

    @Test("a diagnostic's logits come back whole, whatever the chunk")
    func logits() async throws {
        let cluster = try await cluster()
        async let end: Void = cluster.run()
        let worker = try ScriptedWorker(
            "a", control: cluster.endpoints.control,
            script: .counting(vocabularySize: cluster.engine.model.vocabularySize))
        #expect(await cluster.waitUntilReady())
        for chunk in [1, 7, 16] {
            var logits: [Float] = []
            try await cluster.engine.logits(of: Array(0..<20), chunk: chunk) { logits += $0 }
            let size = cluster.engine.model.vocabularySize
            #expect(logits.count == 20 * size)
            let rows = stride(from: 0, to: logits.count, by: size).map { Int(logits[$0]) }
            #expect(rows == Array(0..<20))
        }
        await cluster.stop()
        try await end
        worker.stop()
    }

    @Test("an embedding comes back, in the stages' own numbers; one whose task is cancelled ends")
    func embedding() async throws {
        let cluster = try await cluster()
        async let end: Void = cluster.run()
        let size = cluster.engine.model.hiddenSize
        let counting = ScriptedWorker.Script.counting(vocabularySize: cluster.engine.model.vocabularySize)
        let script = ScriptedWorker.Script { step in
            // A long text is never done with.
            if step.rows.count > 5 { return nil }
            var result = counting.answer(step)
            result?.sequences += step.rows.filter { $0.output == .mean }.map {
                SequenceResult(
                    sequence: $0.sequence, position: $0.position + 1, outcome: .mean((0..<size).map(Float.init)))
            }
            return result
        }
        let worker = try ScriptedWorker("a", control: cluster.endpoints.control, script: script)
        #expect(await cluster.waitUntilReady())
        let embedding = try await cluster.engine.embedding(of: EmbeddingRequest(tokens: [1, 2, 3]))
        #expect(embedding.values == (0..<size).map(Float.init))
        #expect(embedding.timings.promptTokens == 3 && embedding.timings.wireBytes > 0)
        let counts = await cluster.service.snapshot.requests
        #expect(counts.embedded == 1)
        let long = Task { try await cluster.engine.embedding(of: EmbeddingRequest(tokens: Array(0..<40))) }
        long.cancel()
        await #expect(throws: EngineError.self) { try await long.value }
        await #expect(throws: EngineError.self) {
            try await cluster.engine.embedding(of: EmbeddingRequest(tokens: []))
        }
        let later = await cluster.service.snapshot.requests
        #expect(later.cancelled == 1 && later.rejected == ["invalid_request": 1])
        await cluster.stop()
        try await end
        worker.stop()
    }

    @Test("a worker that is gone ends the request with an error that names it, and its return makes the next succeed")
    func lostWorker() async throws {
        let cluster = try await cluster()
        async let end: Void = cluster.run()
        var silent = ScriptedWorker.Script { _ in nil }
        silent.instance = 7
        let first = try ScriptedWorker("a", control: cluster.endpoints.control, script: silent)
        #expect(await cluster.waitUntilReady())
        let stream = try await cluster.engine.generate(TokenRequest(prompt: [1], maxTokens: 3))
        first.stop()
        let error = await #expect(throws: EngineError.self) { _ = try await collect(stream) }
        #expect(error?.message.contains("worker a") == true)
        let second = try ScriptedWorker(
            "a", control: cluster.endpoints.control,
            script: .counting(vocabularySize: cluster.engine.model.vocabularySize))
        #expect(await cluster.waitUntilReady())
        let next = try await cluster.engine.generate(TokenRequest(prompt: [1], maxTokens: 2))
        #expect(try await collect(next).tokens == [1, 2])
        await cluster.stop()
        try await end
        second.stop()
    }

    @Test("another version is refused at hello, with both named")
    func version() async throws {
        let cluster = try await cluster()
        async let end: Void = cluster.run()
        var script = ScriptedWorker.Script { _ in nil }
        script.version = ProtocolVersion(number: 99, program: "9.9.9")
        let worker = try ScriptedWorker("a", control: cluster.endpoints.control, script: script)
        for await reply in worker.replies {
            guard case .refused(let refusal) = reply else {
                Issue.record("expected a refusal, got \(reply)")
                break
            }
            #expect(refusal.reason == .versionMismatch)
            #expect(refusal.message.contains("protocol 99") && refusal.message.contains("\(ProtocolVersion.current)"))
            break
        }
        await cluster.stop()
        try await end
        worker.stop()
    }

    @Test("garbage on both sockets changes nothing")
    func garbage() async throws {
        let cluster = try await cluster()
        async let end: Void = cluster.run()
        let worker = try ScriptedWorker(
            "a", control: cluster.endpoints.control,
            script: .counting(vocabularySize: cluster.engine.model.vocabularySize))
        #expect(await cluster.waitUntilReady())
        let stranger = Stranger(endpoints: cluster.endpoints)
        let stream = try await cluster.engine.generate(TokenRequest(prompt: [1], maxTokens: 20))
        #expect(try await collect(stream).tokens == Array(1...20))
        stranger.join()
        await cluster.stop()
        try await end
        worker.stop()
    }

    @Test("a reader that leaves frees its sequence")
    func cancelled() async throws {
        let cluster = try await cluster()
        async let end: Void = cluster.run()
        let worker = try ScriptedWorker(
            "a", control: cluster.endpoints.control, script: ScriptedWorker.Script { _ in nil })
        #expect(await cluster.waitUntilReady())
        var stream: TokenStream? = try await cluster.engine.generate(TokenRequest(prompt: [1], maxTokens: 20))
        _ = stream
        stream = nil
        for await _ in await cluster.service.watch() where await cluster.service.status.activeSequences == 0 { break }
        await cluster.stop()
        try await end
        worker.stop()
    }

    @Test("a port that is taken is an error that says so")
    func portTaken() async throws {
        let first = try await cluster()
        let error = await #expect(throws: CoordinatorError.self) {
            _ = try await cluster { $0.control = first.endpoints.control }
        }
        #expect(error?.message.contains("\(first.endpoints.control): bind: Address already in use") == true)
        async let end: Void = first.run()
        await first.stop()
        try await end
    }

    @Test("a model that is not there is an error that names it")
    func noModel() {
        let error = #expect(throws: CoordinatorError.self) { _ = try ClusterModel.open("/nowhere/model.gguf") }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("model.gguf") == true)
    }
}

/// Sends what is none of our messages to both sockets.
private final class Stranger: Sendable {
    private let thread: OwnedThread

    init(endpoints: SocketThread.Endpoints) {
        thread = OwnedThread(name: "stranger") {
            guard let context = try? Context(),
                let control = try? Socket(.dealer, in: context), let results = try? Socket(.dealer, in: context)
            else { return }
            try? control.connect(endpoints.control)
            try? results.connect(endpoints.results)
            for length in 0..<200 {
                _ = try? control.send(Message(Array(repeating: UInt8(length), count: length)))
                _ = try? results.send(
                    Message(Array(repeating: UInt8(length), count: length)), payload: Message([1, 2, 3]))
            }
        }
    }

    func join() { thread.join() }
}
