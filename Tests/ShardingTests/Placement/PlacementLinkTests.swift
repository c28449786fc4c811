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
        // Four sequences go in two steps of two rows, which are on their way at once; the ways take longer than the workers.
        let way = compute + delays + 2 * transfers
        #expect(abs(plan.prediction.pipelinedTokensPerSecond - 4 / way) < 0.1)
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

    @Test("on one machine a measurement is shown, and decides nothing unless the way is long")
    func oneMachine() throws {
        var placement = placement(["a", "b"], links: [("a", "b", link(9, 1))])
        for index in placement.workers.indices { placement.workers[index].machine = "" }
        let plan = try placement.plan()
        #expect(plan.stages.count == 2)
        #expect(plan.hops.map(\.isMeasured) == [false, true, false])
        #expect(plan.hops[1].estimate.roundTrip == .milliseconds(9))
        placement.links["a", "b"] = link(2000)
        #expect(try placement.plan().stages.count == 1)
    }

    @Test("no other way to deal layers out is better, whatever the objective", arguments: 0..<20)
    func best(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed))
        for objective in PlacementObjective.allCases {
            var placement = placement(["a", "b", "c"], objective: objective)
            placement.model.layers = Array(placement.model.layers.prefix(5))
            for index in placement.workers.indices {
                placement.workers[index].bytesPerSecond = .random(in: 1e9...20e9, using: &random)
            }
            for from in ["", "a", "b", "c"] {
                for to in ["", "a", "b", "c"] where from != to && Bool.random(using: &random) {
                    placement.links[from, to] = link(
                        .random(in: 1...200, using: &random), .random(in: 1...100, using: &random))
                }
            }
            let found = try placement.balancedSegments()
            let costs = allSplits(units: placement.model.unitCount, workers: 3).map { cost(of: $0, placement) }
            // Of both measures at once, limits that lie close together are tried.
            let slack = objective == .mixed ? 1.03 : 1 + 1e-9
            #expect(cost(of: found, placement) <= costs.min()! * slack, "\(objective)")
        }
    }

    @Test("many workers and layers are dealt out as few are")
    func many() throws {
        var placement = placement((0..<64).map { "w\($0)" })
        placement.model.layers = Array(repeating: .init(weightBytes: 1 << 30, stateBytesPerToken: 1024), count: 126)
        let segments = try placement.balancedSegments()
        #expect(segments.flatMap { Array($0.units) } == Array(0..<127))
        #expect(segments.count > 16, "8 GiB each do not hold more")
    }

    @Test(
        "hundreds of workers whose rooms only just hold the model all get what fits",
        arguments: PlacementObjective.allCases)
    func hundreds(objective: PlacementObjective) throws {
        var placement = placement((0..<200).map { "w\($0)" }, GiB: 4.5, objective: objective)
        placement.model.layers = Array(repeating: .init(weightBytes: 1 << 30, stateBytesPerToken: 1024), count: 800)
        let segments = try placement.balancedSegments()
        #expect(segments.dropLast().allSatisfy { $0.units.count == 4 })
        #expect(segments.map(\.worker) == Array(0..<200) && segments.last?.units.upperBound == 801)
    }

    private func cost(of segments: [Placement.Segment], _ placement: Placement) -> Double {
        let ends: [Placement.End] = [nil] + segments.map { $0.worker } + [nil]
        var slowest = 0.0
        var sum = 0.0
        for segment in segments {
            let seconds = placement.seconds(segment.units, on: segment.worker, .generation(sequences: 1))
            (slowest, sum) = (max(slowest, seconds), sum + seconds)
        }
        for (from, to) in zip(ends, ends.dropFirst()) {
            slowest = max(slowest, placement.transferSeconds(from: from, to: to))
            sum += placement.hopSeconds(from: from, to: to)
        }
        return switch placement.objective {
        case .prompt: slowest
        case .decode: sum
        case .mixed: max(slowest, sum / Double(placement.demand.maxSequences)) * sum
        }
    }

    /// All contiguous ones in the workers' order.
    private func allSplits(units: Int, workers: Int, from start: Int = 0, after last: Int = -1) -> [[Placement.Segment]]
    {
        if start == units { return [[]] }
        return (last + 1..<max(last + 1, workers)).flatMap { worker in
            (start + 1...units).flatMap { end in
                allSplits(units: units, workers: workers, from: end, after: worker).map {
                    [Placement.Segment(worker: worker, units: start..<end)] + $0
                }
            }
        }
    }
}
