import Devices
import Foundation
import Inference
import ShardKit
import Sharding
import Streaming
import Terminal
import Tokenizers

/// A model that is loaded and ready to answer, here or over worker processes.
struct GenerationSession {
    let model: OpenedModel
    let tokenizer: Tokenizer?
    let engine: any TokenEngine
    /// Time to open and load.
    let load: Duration
    private let options: GenerationOptions
    private let cluster: WorkerSession?
    /// Of a model that is read from disk.
    private let streaming: Streaming?

    private struct Streaming {
        let engine: LocalEngine
        let setup: StreamingSetup
        let watch = StreamWatch()

        /// What was done so far; from here on the watch is told.
        func start() async throws -> StreamingReport? {
            let watch = watch
            try await engine.perform { chain throws(InferenceError) in chain.watch(watch) }
            return try await report()
        }

        func report() async throws -> StreamingReport? {
            let budget = setup.budget
            return try await engine.perform { chain throws(InferenceError) in chain.streamingReport(budget) }
        }
    }

    /// - Parameter needsTokenizer: whether to fail where the model has none.
    static func start(
        _ modelOptions: ModelOptions, _ options: GenerationOptions, _ program: ProgramOptions, needsTokenizer: Bool
    ) async throws -> GenerationSession {
        let start = ContinuousClock.now
        let model = try await modelOptions.open()
        let tokenizer = needsTokenizer ? try model.tokenizer() : try? model.tokenizer()
        let contextLength = try options.contextLength(for: model)
        let cacheType = options.kvType.element
        if modelOptions.mode == .memoryEfficient {
            let setup = try await modelOptions.streamingSetup(
                model, cacheType: cacheType, contextLength: contextLength, showsProgress: program.showsProgress)
            let engine = try await modelOptions.streamingEngine(
                model, setup, showsProgress: program.showsProgress)
            return GenerationSession(
                model: model, tokenizer: tokenizer, engine: engine, load: ContinuousClock.now - start,
                options: options, streaming: Streaming(engine: engine, setup: setup))
        }
        if !modelOptions.usesWorkers {
            let engine = try await modelOptions.localEngine(
                model, cacheType: cacheType, contextLength: contextLength, showsProgress: program.showsProgress)
            return GenerationSession(
                model: model, tokenizer: tokenizer, engine: engine, load: ContinuousClock.now - start,
                options: options)
        }
        let cluster = try await modelOptions.startWorkers(
            model, cacheType: cacheType, contextLength: contextLength, program)
        return GenerationSession(
            model: model, tokenizer: tokenizer, engine: cluster.engine, load: ContinuousClock.now - start,
            options: options, cluster: cluster)
    }

    private init(
        model: OpenedModel, tokenizer: Tokenizer?, engine: any TokenEngine, load: Duration,
        options: GenerationOptions, cluster: WorkerSession? = nil, streaming: Streaming? = nil
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.engine = engine
        self.load = load
        self.options = options
        self.cluster = cluster
        self.streaming = streaming
    }

    /// What a model that is read from disk did last.
    var streamEvents: [StreamEvent] { streaming?.watch.now.events ?? [] }

    /// Ends worker processes, where there are any.
    func stop() async { await cluster?.stop() }

    /// Generates one answer; Ctrl-C cancels it.
    ///
    /// - Parameter showsStatus: whether a line on stderr says meanwhile what a model that is read from disk does.
    func answer(
        to prompt: [TokenID], isContinuation: Bool, showsStatus: Bool = false,
        show: @escaping @Sendable (String) -> Void
    ) async throws -> Answer {
        let request = TokenRequest(
            prompt: prompt, sampling: options.sampling(for: model), maxTokens: options.maxTokens,
            endTokens: options.ignoreEos ? [] : model.endTokens(tokenizer))
        let (engine, stops) = (engine, options.stop)
        let detokenizer = tokenizer?.detokenizer(skipSpecial: true, isContinuation: isContinuation)
        let before = try await streaming?.start()
        let status = streaming.map { StreamingStatus($0.watch, budgetBytes: $0.setup.budget.limitBytes) }
        if showsStatus { status?.show() }
        defer { status?.end() }
        let work = Task {
            try await Answer.generate(
                request, with: engine, detokenizer: detokenizer, stops: stops, onToken: { status?.countToken() },
                show: show)
        }
        let interrupts = Task {
            for await _ in Signals.stream(SIGINT, SIGTERM) { work.cancel() }
        }
        defer { interrupts.cancel() }
        do {
            var answer = try await work.value
            if let before, let after = try await streaming?.report() {
                answer.streaming = StreamingTimings(
                    before: before, after: after, time: answer.timings.prompt + answer.timings.generation)
            }
            return answer
        } catch let error as EngineError where error.code == .contextLengthExceeded {
            throw ProgramError(.configuration, error.message)
        }
    }
}
