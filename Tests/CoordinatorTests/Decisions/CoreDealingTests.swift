import Testing

@testable import Coordinator

@Suite("Dealing cores")
struct CoreDealingTests {
    private func worker(
        _ name: String, _ cores: [Int], threads: Int? = nil, chosen: Bool = false, machine: String = "m"
    ) -> CoreDealing.Worker {
        CoreDealing.Worker(
            name: name, machine: machine, cores: cores, threadCount: threads ?? cores.count, hasChosenThreads: chosen)
    }

    @Test("one worker of a machine keeps all its threads, as do workers of different machines")
    func alone() {
        #expect(CoreDealing.threadCounts([worker("a", [0, 1, 2, 3])]).isEmpty)
        #expect(CoreDealing.threadCounts([worker("a", [0, 1]), worker("b", [0, 1], machine: "n")]).isEmpty)
    }

    @Test("cores are dealt evenly, the first workers get what is left over")
    func even() {
        let all = [0, 1, 2, 3, 4, 5, 6]
        #expect(
            CoreDealing.threadCounts([worker("a", all), worker("b", all), worker("c", all)]) == [
                "a": 3, "b": 2, "c": 2,
            ])
    }

    @Test("more workers than cores: one thread each")
    func crowded() {
        #expect(
            CoreDealing.threadCounts([worker("a", [0, 1]), worker("b", [0, 1]), worker("c", [0, 1])])
                == ["a": 1, "b": 1, "c": 1])
    }

    @Test("a chosen count stays, and the others share what it leaves")
    func chosen() {
        let all = [0, 1, 2, 3]
        #expect(
            CoreDealing.threadCounts([worker("a", all), worker("b", all, threads: 3, chosen: true)]) == ["a": 1])
        #expect(
            CoreDealing.threadCounts([worker("a", all), worker("b", [2, 3], chosen: true), worker("c", all)])
                == ["a": 1, "c": 1])
    }

    @Test("containers on cores of their own do not share; a quota is a ceiling")
    func containers() {
        #expect(CoreDealing.threadCounts([worker("a", [0, 1]), worker("b", [2, 3])]).isEmpty)
        // a may use all, so it takes those that only it may use first.
        #expect(CoreDealing.threadCounts([worker("a", [0, 1, 2, 3]), worker("b", [0, 1])]) == ["a": 2])
        let all = Array(0..<8)
        #expect(CoreDealing.threadCounts([worker("a", all, threads: 4), worker("b", all, threads: 4)]).isEmpty)
        #expect(CoreDealing.threadCounts([worker("a", all, threads: 6), worker("b", all, threads: 1)]).isEmpty)
    }

    @Test("a worker that does not name its cores shares with nobody")
    func unknown() {
        #expect(CoreDealing.threadCounts([worker("a", [], threads: 8), worker("b", [0, 1])]).isEmpty)
    }
}
