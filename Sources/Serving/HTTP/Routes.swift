import Hummingbird
import Logging
import ModelFiles
import NIOCore
import Sharding

/// What the server answers: OpenAI's completion interfaces over one engine.
struct Routes: Sendable {
    static let all = [
        "POST /v1/chat/completions", "POST /v1/completions", "POST /v1/embeddings", "GET /v1/models",
        "GET /v1/models/{model}",
        "POST /tokenize", "POST /detokenize", "GET /health", "GET /ready", "GET /v1/cluster", "GET /metrics", "GET /",
    ]

    /// What needs no key, where the API has keys.
    static let openPaths: Set = ["/health", "/"]

    /// Methods that a path answers to; nil for paths that are not here.
    static func methods(of path: String) -> [String]? {
        let methods = all.compactMap { route -> String? in
            let parts = route.split(separator: " ")
            let isSame = path == parts[1] || (parts[1].hasSuffix("{model}") && path.hasPrefix(parts[1].dropLast(7)))
            return isSame ? String(parts[0]) : nil
        }
        return methods.isEmpty ? nil : methods
    }

    /// A path as monitors count it: paths that are not here are one.
    static func label(of path: String) -> String {
        let route = all.first { route in
            let parts = route.split(separator: " ")
            return path == parts[1] || (parts[1].hasSuffix("{model}") && path.hasPrefix(parts[1].dropLast(7)))
        }
        return route.map { String($0.split(separator: " ")[1]) } ?? "other"
    }

    let engine: any TokenEngine
    let model: ServedModel
    let limits: ServingLimits
    let register: GenerationRegister
    /// Unix time, seconds.
    let now: @Sendable () -> Int
    let random: @Sendable () -> UInt64
    /// When the model began to be served.
    private let created: Int

    init(
        engine: any TokenEngine, model: ServedModel, limits: ServingLimits, register: GenerationRegister,
        now: @escaping @Sendable () -> Int, random: @escaping @Sendable () -> UInt64
    ) {
        self.engine = engine
        self.model = model
        self.limits = limits
        self.register = register
        self.now = now
        self.random = random
        created = now()
    }

    func add(to router: Router<ServingContext>) {
        addTokens(to: router)
        addEmbeddings(to: router)
        router.get("health") { _, _ in try Response.json(StatusBody(status: "ok")) }
        router.get("ready") { _, _ in try await ready() }
        router.get("v1/models") { _, _ in try Response.json(ModelList(data: [listed])) }
        router.get("v1/models/**") { _, context in
            try checkModel(context.parameters.getCatchAll().joined(separator: "/"))
            return try Response.json(listed)
        }
        router.post("v1/chat/completions") { request, context in
            let body = try await Self.body(request, limits)
            let chat = try ChatRequest(
                body, defaults: model.sampling, vocabularySize: engine.model.vocabularySize, seed: random() >> 11)
            try checkModel(chat.fields.model)
            let prompt = try model.prompt(chat.messages, contextLength: engine.model.contextLength)
            return try await answer(
                [prompt], chat.fields, isContinuation: false,
                ChatFormat(reportsLogprobs: chat.fields.reportsLogprobs), context)
        }
        router.post("v1/completions") { request, context in
            let body = try await Self.body(request, limits)
            let completion = try CompletionRequest(
                body, defaults: model.sampling, vocabularySize: engine.model.vocabularySize, seed: random() >> 11)
            try checkModel(completion.fields.model)
            let prompts = try completion.prompts.map {
                try model.prompt($0, contextLength: engine.model.contextLength, in: "prompt")
            }
            return try await answer(
                prompts, completion.fields, isContinuation: true,
                TextFormat(
                    reportsLogprobs: completion.fields.reportsLogprobs,
                    choiceCount: prompts.count * completion.fields.choiceCount,
                    echoes: completion.echoes ? try echoes(completion) : []), context)
        }
    }

    private var listed: ModelList.Model {
        ModelList.Model(id: engine.model.name, created: created, contextLength: engine.model.contextLength)
    }

    private func ready() async throws(ServingError) -> Response {
        switch await engine.readiness {
        case .ready: return try .json(StatusBody(status: "ready"))
        case .notReady(let reason): throw ServingError(.unavailable, nil, "not ready: \(reason)")
        }
    }

    static func body(_ request: Request, _ limits: ServingLimits) async throws -> JSONValue {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: limits.bodyBytesMax)
        } catch let error as NIOTooManyBytesError {
            throw error
        } catch {
            throw ServingError(.invalidHTTP, nil, "body: expected all of it, got a broken one: \(error)")
        }
        return try RequestJSON.parse(buffer)
    }

    /// A request that names no model means the one that is here.
    func checkModel(_ name: String?) throws(ServingError) {
        guard let name, name != engine.model.name else { return }
        throw ServingError(
            .modelNotFound, "model", "expected \(engine.model.name), the one model that is served here, got another")
    }

    private func answer(
        _ prompts: [[TokenID]], _ fields: GenerationFields, isContinuation: Bool, _ format: some AnswerFormat,
        _ context: ServingContext
    ) async throws -> Response {
        let place = try context.caller?.enter()
        let choices = choices(prompts, fields, isContinuation: isContinuation, context.caller)
        let answer = Answer(
            id: String(random(), radix: 16), created: now(), model: engine.model.name, fields: fields,
            promptTokens: prompts.reduce(0) { $0 + $1.count }, choiceCount: choices.count, format: format)
        let generation =
            fields.maxTokens == 0
            ? Generation(ofNothing: choices.map(\.request.prompt.count))
            : Generation(choices, engine: engine, pause: limits.keepAlive, in: register)
        let watch = await context.watch
        watch?.whenLost(generation.cancellation)
        guard fields.isStream else {
            defer { withExtendedLifetime(place) { watch?.forget() } }
            return try await AnswerWriter.whole(generation, answer, choiceCount: choices.count)
        }
        return try await AnswerWriter.stream(generation, answer, choiceCount: choices.count) {
            withExtendedLifetime(place) { watch?.forget() }
        }
    }

    /// The prompt's text for each choice.
    private func echoes(_ completion: CompletionRequest) throws(ServingError) -> [String] {
        var echoes: [String] = []
        for prompt in completion.prompts {
            let text =
                switch prompt {
                case .text(let text): text
                case .tokens(let tokens): try model.text(tokens)
                }
            echoes += Array(repeating: text, count: completion.fields.choiceCount)
        }
        return echoes
    }

    /// Choice `i` of prompt `p` has index `p × n + i`, as clients expect.
    private func choices(
        _ prompts: [[TokenID]], _ fields: GenerationFields, isContinuation: Bool, _ caller: APICaller?
    ) -> [Generation.Choice] {
        let endTokens = fields.ignoresEnd ? [] : model.endTokens
        return prompts.flatMap { prompt in
            (0..<fields.choiceCount).map { choice in
                Generation.Choice(
                    request: TokenRequest(
                        prompt: prompt, sampling: fields.sampling, choice: choice, maxTokens: fields.maxTokens,
                        endTokens: endTokens, owner: caller?.key.name ?? "", priority: caller?.key.priority ?? 0),
                    text: ChoiceText(
                        tokenizer: model.tokenizer, isContinuation: isContinuation, endTokens: endTokens,
                        stops: fields.stops, reportsLogprobs: fields.reportsLogprobs))
            }
        }
    }
}
