import ShardKit
import Sharding
import Testing

@Suite("What a cluster is verified with")
struct VerificationWorkTests {
    private func work(_ context: Int, length: Int = 530, seed: UInt64 = 1, text: [TokenID] = []) -> VerificationWork {
        VerificationWork(
            text: text, vocabularySize: 100, contextLength: context, seed: seed, lengthMax: length, rowsMax: 256)
    }

    @Test("it is the same for a seed, and another for another")
    func seeds() {
        #expect(work(1000) == work(1000))
        #expect(work(1000) != work(1000, seed: 2))
        #expect(VerificationWork.words(50, seed: 3) == VerificationWork.words(50, seed: 3))
        #expect(VerificationWork.words(50, seed: 3) != VerificationWork.words(50, seed: 4))
        #expect(VerificationWork.words(50, seed: 3).split(separator: " ").count == 50)
    }

    @Test("it fits any context and any vocabulary", arguments: [1, 2, 3, 9, 47, 300, 5000])
    func fits(context: Int) {
        let work = work(context, text: [5, 99, 100, -1, 7])
        #expect(work.positionsMax <= context)
        #expect(work.sequences.last?.tokens.count == min(530, context))
        for sequence in work.sequences {
            #expect(sequence.tokens.allSatisfy { (0..<100).contains($0) })
            #expect(sequence.chunks.allSatisfy { (1...min(256, sequence.tokens.count)).contains($0) })
        }
        #expect(work.requests.isEmpty == (context == 1))
        for request in work.requests {
            #expect(request.prompt.allSatisfy { (0..<100).contains($0) } && !request.prompt.isEmpty)
            #expect(request.prompt.count + (request.maxTokens ?? .max) <= context)
        }
    }

    @Test("sequences are short and long, in steps of one row and of many; the longest is as long as is asked for")
    func lengths() {
        let work = work(1000, length: 200)
        #expect(work.sequences.map(\.tokens.count) == [1, 9, 40, 130, 200])
        #expect(work.sequences.map(\.chunks) == [[1], [1, 7, 9], [1, 7, 40], [64, 130], [64, 200]])
        #expect(self.work(1000, length: 1).sequences.map(\.tokens.count) == [1])
    }

    @Test("numbers that do not have the same bits are counted, and the largest distance is told")
    func differences() throws {
        #expect(ValueDifference(expected: [1, -0, .nan], got: [1, -0, .nan]) == nil)
        let some = try #require(ValueDifference(expected: [1, 2, 3, 0], got: [1, 2.5, 2.75, -0.0]))
        #expect(some.differing == 3 && some.count == 4 && some.largest == 0.5)
        #expect(ValueDifference(expected: [1], got: [.nan])?.largest == .infinity)
        let shorter = try #require(ValueDifference(expected: [1, 2], got: [1]))
        #expect(shorter.differing == 1 && shorter.count == 2 && shorter.largest == .infinity)
    }

    @Test("a worker is suspected where the others are right without it, and wrong without any other")
    func suspects() {
        func trials(_ findings: SuspectSearch.Trial.Finding...) -> [SuspectSearch.Trial] {
            findings.enumerated().map { SuspectSearch.Trial(worker: "w\($0)", units: "\($0)", finding: $1) }
        }
        #expect(SuspectSearch.suspect(trials(.different, .equal))?.worker == "w1")
        #expect(SuspectSearch.suspect(trials(.different, .different)) == nil)
        #expect(SuspectSearch.suspect(trials(.equal, .equal, .different)) == nil)
        #expect(SuspectSearch.suspect(trials(.equal, .failed("too large"))) == nil)
        #expect(SuspectSearch.suspect([]) == nil)
    }
}
