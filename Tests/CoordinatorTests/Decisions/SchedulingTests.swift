import Sharding
import Testing

@testable import Coordinator

@Suite("Scheduling")
struct SchedulingTests {
    private func running(
        maxSequences: Int = 4, queueMax: Int = 4, maxRows: Int = 8, contextLength: Int = 64
    ) -> SimulatedCluster {
        var cluster = SimulatedCluster(
            maxSequences: maxSequences, queueMax: queueMax, maxRows: maxRows, contextLength: contextLength)
        cluster.start()
        return cluster
    }

    @Test("a prompt goes in chunks, and only its last row asks for a token")
    func chunks() throws {
        var cluster = running()
        let id = try cluster.submit(Array(0..<20), maxTokens: 1)
        #expect(cluster.pipeline.map(\.step.rows.count) == [8, 8, 4])
        #expect(cluster.pipeline[0].step.operations.count == 1)
        #expect(cluster.pipeline.flatMap { $0.step.rows.map(\.position) } == Array(0..<20))
        #expect(cluster.pipeline.flatMap { $0.step.rows.map(\.output) }.filter { $0 == .token }.count == 1)
        cluster.drain()
        #expect(cluster.tokens(of: id) == [19])
        #expect(cluster.finish(of: id) == .length)
    }

    @Test("steps in flight are bounded by the pipeline's depth")
    func bounded() throws {
        var cluster = running(maxRows: 2)
        _ = try cluster.submit(Array(0..<40), maxTokens: 1)
        #expect(cluster.pipeline.count == 3)
        cluster.completeStep()
        #expect(cluster.pipeline.count == 3)
    }

    @Test("sequences that decode are spread over the stages, and each gets its own tokens")
    func interleaved() throws {
        var cluster = running()
        let ids = try (0..<4).map { try cluster.submit(Array(0..<TokenID($0 + 1)), maxTokens: 5) }
        var together = 0
        for _ in 0..<40 {
            together = max(together, cluster.pipeline.count)
            cluster.completeStep()
        }
        #expect(together > 1)
        for (index, id) in ids.enumerated() {
            #expect(cluster.tokens(of: id) == (index..<index + 5).map { TokenID($0) })
            #expect(cluster.finish(of: id) == .length)
        }
    }

    @Test("a short prompt passes a long one, which goes on all the same")
    func shortFirst() throws {
        var cluster = running(maxSequences: 8, queueMax: 40, contextLength: 400)
        let long = try cluster.submit((0..<300).map { TokenID($0 % 100) }, maxTokens: 1)
        cluster.completeStep()
        let short = try cluster.submit((0..<16).map { TokenID(99 - $0) }, maxTokens: 1)
        for _ in 0..<8 { cluster.completeStep() }
        #expect(cluster.finish(of: short) == .length && cluster.finish(of: long) == nil)
        // However many short ones come, the long one's turn comes too.
        for round in 0..<400 where cluster.finish(of: long) == nil {
            _ = try cluster.submit((0..<8).map { TokenID(($0 * 7 + round) % 100) }, maxTokens: 1)
            for _ in 0..<2 { cluster.completeStep() }
        }
        #expect(cluster.finish(of: long) == .length)
    }

    @Test("beside others that generate, a prompt comes along with their steps, and each of them goes on")
    func ridingAlong() throws {
        var cluster = running(maxRows: 6, contextLength: 200)
        let short = try (0..<2).map { try cluster.submit([TokenID($0 + 1)], maxTokens: 60) }
        for _ in 0..<4 { cluster.completeStep() }
        let long = try cluster.submit((0..<90).map { TokenID($0) }, maxTokens: 1)
        var chunkCount = 0
        while cluster.tokens(of: long).isEmpty {
            for item in cluster.pipeline.dropFirst(2) {
                let sequences = Set(item.step.rows.map(\.sequence))
                #expect(sequences != [long], "a prompt's own step makes others wait once more")
            }
            chunkCount += cluster.pipeline.first.map { $0.step.rows.contains { $0.sequence == long } ? 1 : 0 } ?? 0
            cluster.completeStep()
        }
        // Five rows beside one that generates.
        #expect(chunkCount >= 18)
        for id in short { #expect(cluster.tokens(of: id).count >= chunkCount / 2 - 2) }
    }

    @Test("a sequence is freed in a later step, and its number is never used again")
    func freed() throws {
        var cluster = running()
        let first = try cluster.submit([1, 2], maxTokens: 1)
        cluster.completeStep()
        #expect(cluster.pipeline.map(\.step.operations) == [[.free(first)]])
        let second = try cluster.submit([1, 2], maxTokens: 1)
        #expect(second > first)
        cluster.drain()
        #expect(cluster.finish(of: second) == .length)
    }

    @Test("an end token is delivered and ends the answer")
    func endToken() throws {
        var cluster = running()
        let id = try cluster.submit([5, 6], endTokens: [3])
        cluster.drain()
        #expect(cluster.tokens(of: id) == [1, 2, 3])
        #expect(cluster.finish(of: id) == .stop)
    }

    @Test("a full context ends an answer with length")
    func fullContext() throws {
        var cluster = running(contextLength: 16)
        let id = try cluster.submit(Array(0..<10))
        cluster.drain()
        #expect(cluster.tokens(of: id).count == 6)
        #expect(cluster.finish(of: id) == .length)
    }

    @Test("requests wait for cache memory, then for a place in the queue, then are refused")
    func admission() throws {
        var cluster = running(maxSequences: 2, queueMax: 2)
        let ids = try (0..<4).map { _ in try cluster.submit([1], maxTokens: 3) }
        #expect(cluster.machine.status.activeSequences == 2)
        #expect(cluster.machine.status.waitingSequences == 2)
        let error = #expect(throws: EngineError.self) { _ = try cluster.submit([1], maxTokens: 3) }
        #expect(error?.code == .overloaded)
        cluster.drain()
        for id in ids { #expect(cluster.finish(of: id) == .length) }
    }

    @Test(
        "requests that can never run are refused with the numbers",
        arguments: [
            ([], nil, EngineError.Code.invalidRequest), ([100], nil, .invalidRequest), ([-1], nil, .invalidRequest),
            ([1], 0, .invalidRequest), (Array(repeating: 1, count: 64), nil, .contextLengthExceeded),
        ] as [([TokenID], Int?, EngineError.Code)])
    func refused(prompt: [TokenID], maxTokens: Int?, code: EngineError.Code) {
        var cluster = running()
        let error = #expect(throws: EngineError.self) { _ = try cluster.submit(prompt, maxTokens: maxTokens) }
        #expect(error?.code == code)
        #expect(cluster.pipeline.isEmpty)
    }

    @Test("a cancelled sequence is freed with the next step, and its late results are dropped")
    func cancelled() throws {
        var cluster = running()
        let id = try cluster.submit([1, 2], maxTokens: 50)
        let actions = cluster.machine.cancel(id, now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.finish(of: id) == .cancelled)
        cluster.drain()
        #expect(cluster.tokens(of: id).isEmpty)
        #expect(cluster.machine.status.activeSequences == 0)
        let again = cluster.machine.cancel(id, now: cluster.now)
        #expect(again.isEmpty)
    }

    @Test("a sequence that fails in computing ends alone")
    func failedSequence() throws {
        var cluster = running()
        let good = try cluster.submit([1], maxTokens: 3)
        let bad = try cluster.submit([1, 2], maxTokens: 3)
        while cluster.error(of: bad) == nil, !cluster.pipeline.isEmpty {
            cluster.completeStep { result in
                for index in result.sequences.indices where result.sequences[index].sequence == bad {
                    result.sequences[index].outcome = .failed("not finite")
                }
            }
        }
        cluster.drain()
        #expect(cluster.error(of: bad)?.message == "not finite")
        #expect(cluster.finish(of: good) == .length)
    }

    @Test("a diagnostic returns the logits of its chunk, one chunk at a time")
    func diagnostic() throws {
        var cluster = running()
        let id = try cluster.machine.openDiagnostic(now: cluster.now)
        for chunk in [[1, 2, 3], [4], [5, 6]] as [[TokenID]] {
            let actions = try cluster.machine.append(chunk, to: id, now: cluster.now)
            cluster.perform(actions)
            let error = #expect(throws: EngineError.self) { _ = try cluster.machine.append([1], to: id, now: .zero) }
            #expect(error?.code == .invalidRequest)
            cluster.drain()
        }
        let rows = cluster.deliveries.compactMap { event -> Int? in
            if case .logits(id, let logits) = event { logits.count / SimulatedCluster.vocabularySize } else { nil }
        }
        #expect(rows == [3, 1, 2])
        let actions = cluster.machine.cancel(id, now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.pipeline.last?.step.operations == [.free(id)])
    }

    @Test("bytes on the wire and times are counted for each sequence")
    func timings() throws {
        var cluster = running()
        let id = try cluster.submit([1, 2], maxTokens: 3)
        for _ in 0..<3 {
            cluster.now += .milliseconds(10)
            cluster.completeStep()
        }
        guard case .finished(_, .length, let timings) = cluster.end(of: id) else {
            Issue.record("expected the end of \(id)")
            return
        }
        #expect(timings.promptTokens == 2)
        #expect(timings.generatedTokens == 3)
        #expect(timings.prompt == .milliseconds(10))
        #expect(timings.generation == .milliseconds(20))
        #expect(timings.wireBytes == 300)
    }
}
