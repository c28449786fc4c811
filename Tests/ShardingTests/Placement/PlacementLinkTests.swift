import Testing

@testable import Sharding

@Suite("Placement over links")
struct PlacementLinkTests {
    private let demand = PlacementDemand(
        contextLength: 512, maxSequences: 4, cachePositions: 2048, maxRows: 256, maxHeadRows: 4)

    private let model = PlacementModel(
        name: "m", layers: Array(repeating: .init(weightBytes: 100 << 20, stateBytesPerToken: 1024), count: 12),
        headWeightBytes: 50 << 20, rowBytes: 8192, scratchBytesPerRow: 1024, headScratchBytesPerRow: 2048)

    /// Each on a machine of its own; `GiB` of memory.
    private func placement(
        _ names: [String], GiB: Double = 8, objective: PlacementObjective = .mixed,
        links: [(String, String, LinkTable.Finding)] = []
    ) -> Placement {
        var table = LinkTable()
        for (from, to, finding) in links { table[from, to] = finding }
        return Placement(
            model: model, demand: demand,
            workers: names.map {
                PlacementWorker(
                    name: $0, device: "cpu", memoryBytes: Int(GiB * Double(1 << 30)), bytesPerSecond: 10e9, machine: $0)
            }, objective: objective, links: table)
    }

    private func link(_ milliseconds: Int, _ megabytes: Double = 100) -> LinkTable.Finding {
        .measured(LinkEstimate(roundTrip: .milliseconds(milliseconds), bytesPerSecond: megabytes * 1e6))
    }

    @Test("a hop costs half its round trip and the time of a row")
    func prediction() throws {
        let plan = try placement(
            ["a", "b"], objective: .prompt,
            links: [("", "a", link(10)), ("a", "b", link(20, 1)), ("b", "", link(40))]
        ).plan()
        #expect(plan.hops.map(\.ends) == ["coordinator > a", "a > b", "b > coordinator"])
        let compute = Double(12 * 100 + 50) * 1048576 / 10e9
        let delays = 0.005 + 0.010 + 0.020
        let transfers: Double = 8192 / 1e6 + 2 * 8192 / 1e8
        let predicted = 1 / plan.prediction.tokensPerSecond
        #expect(abs(predicted - compute - delays - transfers) < 1e-4)
        // The link of 1 MB/s moves 122 rows a second, the workers compute 16.
        #expect(abs(plan.prediction.pipelinedTokensPerSecond - 2 / compute) < 2)
    }

    @Test("who is a long way off is left out for one stream, and kept for many")
    func longWay() throws {
        let far = [("", "b", link(300)), ("a", "b", link(300)), ("b", "", link(300))]
        #expect(try placement(["a", "b"], objective: .decode, links: far).plan().stages.map(\.worker) == ["a"])
        #expect(try placement(["a", "b"], objective: .prompt, links: far).plan().stages.count == 2)
    }

    @Test("a link that carries fewer rows than the workers compute is no help for prompts")
    func narrowWay() throws {
        let narrow = [("a", "b", link(1, 0.05))]
        #expect(try placement(["a", "b"], objective: .prompt, links: narrow).plan().stages.count == 1)
    }

    @Test("neighbours in the plan are workers that reach each other")
    func obstacle() throws {
        let links: [(String, String, LinkTable.Finding)] = [("a", "b", .unreachable("no answer"))]
        // Two of three hold the model; a and b are not to follow each other.
        let plan = try placement(["a", "b", "c"], GiB: 0.8, links: links).plan()
        #expect(!zip(plan.stages, plan.stages.dropFirst()).contains { $0.worker == "a" && $1.worker == "b" })
        #expect(plan.stages.count == 2)
    }

    @Test("where a missing way leaves nothing, both its ends are named")
    func nothingLeft() {
        let error = #expect(throws: PlacementError.self) {
            try placement(["a", "b"], GiB: 0.8, links: [("a", "b", .unreachable("tcp://10.0.0.2:1: no answer"))]).plan()
        }
        #expect(error?.code == .unreachable)
        #expect(
            error?.message.hasPrefix("placement: worker a cannot reach worker b: tcp://10.0.0.2:1: no answer") == true)
        let small = #expect(throws: PlacementError.self) {
            try placement(["a", "b"], GiB: 0.1, links: [("a", "b", .unreachable("no answer"))]).plan()
        }
        #expect(small?.code == .doesNotFit)
    }

    @Test("on one machine a measurement is shown, and decides nothing")
    func oneMachine() throws {
        var placement = placement(["a", "b"], links: [("a", "b", link(500))])
        for index in placement.workers.indices { placement.workers[index].machine = "" }
        let plan = try placement.plan()
        #expect(plan.stages.count == 2)
        #expect(plan.hops.map(\.isMeasured) == [false, true, false])
        #expect(plan.hops[1].estimate.roundTrip == .milliseconds(500))
    }
}
