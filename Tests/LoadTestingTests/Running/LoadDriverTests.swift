import Synchronization
import Testing

@testable import LoadTesting

@Suite("The driver of a load")
struct LoadDriverTests {
    private let shape = RequestShape(
        model: "m", prompts: .tokens, ignoresEnd: true, asksUsage: true, temperature: 0, tokenIDs: 300...999)

    /// A server in this process: what it was asked, and how its clock stands.
    private final class Played: Sendable {
        let asked = Mutex<[LoadRequest]>([])
        let clock = Mutex(Duration.zero)
        let most = Mutex((now: 0, most: 0))
        let answer: @Sendable (LoadRequest, Int) -> Result<LoadAnswer, LoadFailure>

        init(_ answer: @escaping @Sendable (LoadRequest, Int) -> Result<LoadAnswer, LoadFailure>) {
            self.answer = answer
        }

        func ask(_ request: LoadRequest) async -> LoadClient.Outcome {
            most.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            await Task.yield()
            let number = asked.withLock { asked in
                asked.append(request)
                return asked.count - 1
            }
            let begun = clock.withLock { $0 }
            let ended = clock.withLock { clock in
                clock += .milliseconds(10)
                return clock
            }
            most.withLock { $0.now -= 1 }
            return LoadClient.Outcome(begun: begun, sent: begun, ended: ended, result: answer(request, number))
        }
    }

    private static func text(_ request: LoadRequest) -> LoadAnswer {
        LoadAnswer(pieces: [.milliseconds(1)], text: "text \(request.prompt)", finishReason: nil, usage: nil)
    }

    private func run(_ plan: LoadPlan, _ played: Played) async throws -> LoadTally {
        let driver = LoadDriver(plan, shape: shape, now: { played.clock.withLock { $0 } }) { await played.ask($0) }
        return try await driver.run().tally
    }

    private func plan(
        _ loop: LoadPlan.Loop, requests: Int? = nil, duration: Duration? = nil, warmUp: Int = 0, distinct: Int? = nil,
        comparesTexts: Bool = false
    ) -> LoadPlan {
        LoadPlan(
            loop: loop,
            prompts: LoadPrompts(
                promptTokens: TokenCounts(8), outputTokens: TokenCounts(4), distinct: distinct, seed: 5),
            requests: requests, duration: duration, warmUp: warmUp, comparesTexts: comparesTexts)
    }

    @Test("a closed loop asks all requests once, never more at a time than it has clients")
    func closed() async throws {
        let played = Played { request, _ in .success(Self.text(request)) }
        let tally = try await run(plan(.closed(streams: 4), requests: 50), played)
        #expect(tally.doneCount == 50 && tally.failedCount == 0)
        #expect(played.asked.withLock { Set($0.map(\.prompt)) } == Set(0..<50))
        #expect(played.most.withLock { $0.most } <= 4)
    }

    @Test("a duration ends a closed loop: what has begun is finished")
    func duration() async throws {
        let played = Played { request, _ in .success(Self.text(request)) }
        let tally = try await run(plan(.closed(streams: 1), duration: .milliseconds(95)), played)
        #expect(tally.doneCount == 10)
    }

    @Test("an open loop asks what is due in its time, the same for the same seed")
    func open() async throws {
        let played = Played { request, _ in .success(Self.text(request)) }
        let due = Array(PoissonArrivals(rate: 50_000, seed: 5).prefix { $0 < .milliseconds(2) })
        let tally = try await run(plan(.open(rate: 50_000), duration: .milliseconds(2)), played)
        #expect(tally.doneCount == due.count && tally.lateness.summary?.count == due.count)
        #expect(played.asked.withLock { Set($0.map(\.prompt)) } == Set(due.indices))
    }

    @Test("warm-up requests do not count, and ask something else")
    func warmUp() async throws {
        let played = Played { request, _ in .success(Self.text(request)) }
        let tally = try await run(plan(.closed(streams: 2), requests: 5, warmUp: 20), played)
        #expect(tally.doneCount == 5)
        let asked = played.asked.withLock { $0.map(\.symbols) }
        #expect(asked.count == 25 && Set(asked).count == 25)
    }

    @Test("a warm-up that fails ends the run")
    func warmUpFails() async throws {
        let played = Played { _, _ in .failure(LoadFailure(.status(500), "no")) }
        let error = await #expect(throws: LoadFailure.self) {
            try await run(plan(.closed(streams: 2), requests: 5, warmUp: 1), played)
        }
        #expect(error?.detail == "warm-up: no")
    }

    @Test("texts are compared with those of each prompt alone, asked first")
    func texts() async throws {
        let played = Played { request, number in
            var answer = Self.text(request)
            if number == 7 { answer.text += "!" }
            return .success(answer)
        }
        let tally = try await run(
            plan(.closed(streams: 2), requests: 12, distinct: 3, comparesTexts: true), played)
        #expect(tally.doneCount == 12 && tally.differingTexts == 1)
        #expect(played.asked.withLock { $0.count } == 15)
        #expect(played.asked.withLock { $0.prefix(3).map(\.prompt) } == [0, 1, 2])
    }

    @Test("failed requests are counted, and the load goes on")
    func failures() async throws {
        let played = Played { request, number in
            number % 5 == 0 ? .failure(LoadFailure(.broken, "cut")) : .success(Self.text(request))
        }
        let tally = try await run(plan(.closed(streams: 4), requests: 20), played)
        #expect(tally.doneCount == 16 && tally.failedCount == 4)
    }

    @Test("a run that was stopped begins nothing more")
    func stopped() async throws {
        let played = Played { request, _ in .success(Self.text(request)) }
        let driver = LoadDriver(
            plan(.closed(streams: 2), requests: 5), shape: shape, now: { played.clock.withLock { $0 } }
        ) { await played.ask($0) }
        driver.stop()
        #expect(try await driver.run().tally.doneCount == 0)
    }
}
