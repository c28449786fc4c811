import Foundation
import Synchronization

/// Puts a load on a server and adds up how it fares.
package final class LoadDriver: Sendable {
    /// How far a run is.
    package struct Progress: Sendable {
        package var elapsed: Duration
        package var doneCount: Int
        package var failedCount: Int
        package var tokenCount: Int
    }

    /// What a run has found.
    package struct Outcome: Sendable {
        package var tally: LoadTally
        /// From the first request to the end of the last answer.
        package var elapsed: Duration
        /// Of this process.
        package var cpuSeconds: Double
    }

    private let plan: LoadPlan
    private let shape: RequestShape
    private let ask: @Sendable (LoadRequest) async -> LoadClient.Outcome
    private let now: @Sendable () -> Duration
    private let tally: Mutex<LoadTally>
    private let texts = Mutex<[Int: String]>([:])
    private let nextIndex = Atomic<Int>(0)
    private let inFlight = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    private let start = Mutex<Duration>(.zero)

    /// Warm-up requests are asked by so many clients at once.
    private static let clientsBeforehand = 8

    /// - Parameters:
    ///   - now: the time by which `ask` tells when things happened.
    package init(
        _ plan: LoadPlan, shape: RequestShape, now: @escaping @Sendable () -> Duration,
        ask: @escaping @Sendable (LoadRequest) async -> LoadClient.Outcome
    ) {
        self.plan = plan
        self.shape = shape
        self.ask = ask
        self.now = now
        tally = Mutex(LoadTally(streams: plan.streams))
    }

    /// Begins no more requests; those under way end.
    package func stop() { isStopped.store(true, ordering: .relaxed) }

    package var progress: Progress {
        let start = start.withLock { $0 }
        return tally.withLock {
            Progress(
                elapsed: now() - start, doneCount: $0.doneCount, failedCount: $0.failedCount,
                tokenCount: $0.generatedTokens)
        }
    }

    /// Warms up, asks for texts to compare with, and then runs the load.
    ///
    /// - Throws: where a request that must be answered first has no answer.
    package func run() async throws(LoadFailure) -> Outcome {
        try await warmUp()
        try await askAlone()
        let cpu = CPUTime.now()
        let begun = now()
        start.withLock { $0 = begun }
        switch plan.loop {
        case .closed(let streams):
            await withTaskGroup { group in
                for _ in 0..<streams { group.addTask { await self.runStream(from: begun) } }
            }
        case .open(let rate): await runArrivals(PoissonArrivals(rate: rate, seed: plan.prompts.seed), from: begun)
        }
        return Outcome(
            tally: tally.withLock { $0 }, elapsed: now() - begun, cpuSeconds: CPUTime.now() - cpu)
    }

    // MARK: Before

    private func warmUp() async throws(LoadFailure) {
        guard plan.warmUp > 0 else { return }
        let prompts = plan.prompts.forWarmUp
        let clients = min(Self.clientsBeforehand, plan.warmUp, plan.connectionsMax)
        let failure = await withTaskGroup(of: LoadFailure?.self) { group in
            for client in 0..<clients {
                group.addTask {
                    for index in stride(from: client, to: self.plan.warmUp, by: clients) {
                        guard !self.isStopped.load(ordering: .relaxed) else { break }
                        let outcome = await self.ask(prompts.request(index, alphabet: self.shape.alphabet))
                        if case .failure(let failure) = outcome.result { return failure }
                    }
                    return nil
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
        if let failure { throw LoadFailure(failure.kind, "warm-up: \(failure.detail)") }
    }

    /// One after the other, so that nothing else computes beside them.
    private func askAlone() async throws(LoadFailure) {
        guard plan.comparesTexts else { return }
        let count = min(plan.prompts.distinct ?? .max, plan.requests ?? .max)
        for index in 0..<count where !isStopped.load(ordering: .relaxed) {
            let request = plan.prompts.request(index, alphabet: shape.alphabet)
            switch await ask(request).result {
            case .success(let answer): texts.withLock { $0[request.prompt] = answer.text }
            case .failure(let failure): throw LoadFailure(failure.kind, "prompt \(index) alone: \(failure.detail)")
            }
        }
    }

    // MARK: Load

    /// The next request of a closed loop; nil at its end.
    private func next(_ begun: Duration) -> LoadRequest? {
        guard !isStopped.load(ordering: .relaxed) else { return nil }
        if let duration = plan.duration, now() - begun >= duration { return nil }
        let index = nextIndex.wrappingAdd(1, ordering: .relaxed).oldValue
        if let requests = plan.requests, index >= requests { return nil }
        return plan.prompts.request(index, alphabet: shape.alphabet)
    }

    private func runStream(from begun: Duration) async {
        tally.withLock { $0.beginStream(at: now() - begun) }
        while let request = next(begun) {
            let outcome = await ask(request)
            record(outcome, of: request, from: begun)
            guard case .failure(let failure) = outcome.result else { continue }
            let pause = min(failure.retryAfter ?? LoadPlan.pauseAfterFailure, LoadPlan.pauseMax)
            try? await Task.sleep(for: max(pause, LoadPlan.pauseAfterFailure))
        }
        tally.withLock { $0.endStream(at: now() - begun) }
    }

    private func runArrivals(_ arrivals: PoissonArrivals, from begun: Duration) async {
        await withDiscardingTaskGroup { group in
            for (index, due) in arrivals.enumerated() {
                if let requests = plan.requests, index >= requests { break }
                if let duration = plan.duration, due >= duration { break }
                let wait = begun + due - now()
                if wait > .zero { try? await Task.sleep(for: wait, tolerance: .zero) }
                if isStopped.load(ordering: .relaxed) { break }
                let request = plan.prompts.request(index, alphabet: shape.alphabet)
                group.addTask { await self.runArrival(request, due: due, from: begun) }
            }
        }
    }

    private func runArrival(_ request: LoadRequest, due: Duration, from begun: Duration) async {
        defer { inFlight.subtract(1, ordering: .relaxed) }
        guard inFlight.add(1, ordering: .relaxed).newValue <= LoadPlan.inFlightMax else {
            let failure = LoadFailure(.notSent, "expected at most \(LoadPlan.inFlightMax) requests at once, got more")
            let time = now()
            record(
                LoadClient.Outcome(begun: time, sent: nil, ended: time, result: .failure(failure)), of: request,
                from: begun)
            return
        }
        let outcome = await ask(request)
        if let sent = outcome.sent { tally.withLock { $0.addSend(due: due, sent: sent - begun) } }
        record(outcome, of: request, from: begun)
    }

    private func record(_ outcome: LoadClient.Outcome, of request: LoadRequest, from begun: Duration) {
        let expected = texts.withLock { $0[request.prompt] }
        tally.withLock { $0.add(outcome.counted(from: begun), of: request, expected: expected) }
    }
}

extension LoadClient.Outcome {
    /// With times that count from `start`.
    fileprivate func counted(from start: Duration) -> LoadClient.Outcome {
        var outcome = self
        outcome.begun -= start
        outcome.ended -= start
        outcome.sent = sent.map { $0 - start }
        if case .success(var answer) = result {
            for index in answer.pieces.indices { answer.pieces[index] -= start }
            outcome.result = .success(answer)
        }
        return outcome
    }
}
