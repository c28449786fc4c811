import Sharding

/// The choices of one request while they are generated: tokens from the engine in, pieces of text out.
///
/// It runs from its making; dropping it, or calling ``cancellation``, ends its sequences in the engine.
struct Generation: Sendable {
    /// One sequence to generate.
    struct Choice: Sendable {
        var request: TokenRequest
        var text: ChoiceText
    }

    enum Event: Sendable {
        case text(choice: Int, TextPiece)
        case finished(choice: Int, Ending)
        /// Nothing to say, at regular intervals; a stream turns it into a comment.
        case pause
        /// The last event; the other choices are given up.
        case failed(ServingError)
    }

    /// How a choice ended well.
    struct Ending: Sendable {
        var reason: FinishReason
        var timings: GenerationTimings
        /// nil when a stop string ended the choice before the engine's account of it.
        var wireBytes: Int?
    }

    /// Ends after every choice has finished, after a failure, or early when cancelled. Text that is not read yet is bounded
    /// (``EventWindow``): beyond, what waits are tokens.
    let events: GenerationEvents
    private let continuation: AsyncStream<Event>.Continuation

    init(_ choices: [Choice], engine: any TokenEngine, pause: Duration, in register: GenerationRegister) {
        let (stream, continuation) = AsyncStream<Event>.makeStream()
        let window = EventWindow()
        events = GenerationEvents(stream: stream, window: window)
        self.continuation = continuation
        let work = Task {
            do throws(ServingError) {
                try await Self.run(choices, engine: engine, continuation, window)
            } catch {
                continuation.yield(.failed(error))
            }
            continuation.finish()
        }
        let ticker = Task {
            while (try? await Task.sleep(for: pause)) != nil { continuation.yield(.pause) }
        }
        let entry = register.add { error in
            continuation.yield(.failed(error))
            continuation.finish()
        }
        continuation.onTermination = { _ in
            register.remove(entry)
            work.cancel()
            ticker.cancel()
        }
    }

    /// Choices that end before their first token, without the engine.
    ///
    /// - Parameter promptTokens: of each choice.
    init(ofNothing promptTokens: [Int]) {
        let (stream, continuation) = AsyncStream<Event>.makeStream()
        events = GenerationEvents(stream: stream, window: EventWindow())
        self.continuation = continuation
        for (choice, count) in promptTokens.enumerated() {
            let timings = GenerationTimings(
                promptTokens: count, generatedTokens: 0, prompt: .zero, generation: .zero)
            continuation.yield(.finished(choice: choice, Ending(reason: .length, timings: timings, wireBytes: nil)))
        }
        continuation.finish()
    }

    /// Ends the events and, with them, the sequences; keeps nothing of them alive.
    var cancellation: @Sendable () -> Void {
        { [continuation] in continuation.finish() }
    }

    private static func run(
        _ choices: [Choice], engine: any TokenEngine, _ continuation: AsyncStream<Event>.Continuation,
        _ window: EventWindow
    ) async throws(ServingError) {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, choice) in choices.enumerated() {
                    group.addTask { try await run(choice, index, engine: engine, continuation, window) }
                }
                // The first failure leaves the group, which cancels the other choices.
                for try await _ in group {}
            }
        } catch let error as ServingError {
            throw error
        } catch let error as EngineError {
            throw ServingError(error)
        } catch is CancellationError {
            throw ServingError(.cancelled, nil, "the request was cancelled")
        } catch {
            throw ServingError(.failed, nil, "\(error)")
        }
    }

    private static func run(
        _ choice: Choice, _ index: Int, engine: any TokenEngine, _ continuation: AsyncStream<Event>.Continuation,
        _ window: EventWindow
    ) async throws {
        func say(_ piece: TextPiece) async {
            guard !piece.text.isEmpty else { return }
            window.put(piece.bytes)
            continuation.yield(.text(choice: index, piece))
            await window.room()
        }
        var text = choice.text
        var stopwatch = Stopwatch(promptTokens: choice.request.prompt.count)
        for try await event in try await engine.generate(choice.request) {
            switch event {
            case .begun(let cachedTokens):
                stopwatch.begun(cachedTokens)
            case .token(let accepted):
                stopwatch.token()
                let (piece, isStopped) = text.append(accepted)
                await say(piece)
                if isStopped {
                    let ending = Ending(reason: .stop, timings: stopwatch.timings, wireBytes: nil)
                    continuation.yield(.finished(choice: index, ending))
                    return
                }
            case .finished(.cancelled, _):
                throw CancellationError()
            case .finished(let reason, let timings):
                await say(text.finish())
                let ending = Ending(reason: reason, timings: timings, wireBytes: timings.wireBytes)
                continuation.yield(.finished(choice: index, ending))
                return
            }
        }
        try Task.checkCancellation()
        throw ServingError(.failed, nil, "the engine ended a sequence without a result")
    }
}

/// Times of a choice as its reader sees them.
private struct Stopwatch {
    private(set) var timings: GenerationTimings
    private let start = ContinuousClock.now
    private var first: ContinuousClock.Instant?

    init(promptTokens: Int) {
        timings = GenerationTimings(promptTokens: promptTokens, generatedTokens: 0, prompt: .zero, generation: .zero)
    }

    mutating func begun(_ cachedTokens: Int) { timings.cachedTokens = cachedTokens }

    mutating func token() {
        let now = ContinuousClock.now
        timings.generatedTokens += 1
        if let first {
            timings.generation = now - first
        } else {
            first = now
            timings.prompt = now - start
        }
    }
}
