import Testing

@testable import Sharding

@Suite("What a memory budget goes to")
struct MemoryBudgetTests {
    private func demand(seed: UInt64) -> MemoryBudget.Demand {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ range: ClosedRange<Int>) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return range.lowerBound + Int(state >> 11) % (range.upperBound - range.lowerBound + 1)
        }
        let rowsMax = random(1...512)
        return MemoryBudget.Demand(
            programBytes: random(10 << 20...200 << 20), vectorBytes: random(0...4 << 20),
            matrixBytes: random(1 << 20...100 << 30), cacheBytes: random(0...8 << 30),
            cacheBytesPerPosition: random(0...1 << 20), scratchBytes: random(0...64 << 20),
            scratchBytesPerRow: random(0...1 << 20), ringBytesMin: random(8192...16 << 20),
            rowsMin: random(1...rowsMax), rowsMax: rowsMax)
    }

    @Test("the parts never exceed it; more budget never means fewer weights that stay", arguments: 0..<200)
    func partsFit(seed: UInt64) throws {
        let demand = demand(seed: seed)
        let smallest = MemoryBudget.smallestBytes(for: demand)
        var before = 0
        for step in 0...40 {
            let limit = smallest + demand.matrixBytes / 20 * step + step * step
            let budget = try MemoryBudget(limitBytes: limit, demand: demand)
            #expect(budget.pinnedBytesMax >= before)
            #expect(budget.pinnedBytesMax <= demand.matrixBytes)
            #expect(budget.rowsMax >= demand.rowsMin && budget.rowsMax <= demand.rowsMax)
            #expect(budget.ringBytes >= demand.ringBytesMin)
            #expect(budget.otherBytes >= demand.programBytes + budget.pageCacheBytes)
            before = budget.pinnedBytesMax
        }
    }

    @Test("a budget for everything lets everything stay", arguments: 0..<50)
    func largeBudget(seed: UInt64) throws {
        let demand = demand(seed: seed)
        let budget = try MemoryBudget(limitBytes: 1 << 50, demand: demand)
        #expect(budget.pinnedBytesMax == demand.matrixBytes)
        #expect(budget.rowsMax == demand.rowsMax)
    }

    @Test("one byte below the smallest is refused, with the sum, the smallest budget and a context that fits")
    func tooSmall() throws {
        let demand = MemoryBudget.Demand(
            programBytes: 40 << 20, vectorBytes: 1 << 20, matrixBytes: 4 << 30, cacheBytes: 512 << 20,
            cacheBytesPerPosition: 128 << 10, scratchBytes: 20 << 20, scratchBytesPerRow: 200 << 10,
            ringBytesMin: 16 << 20, rowsMin: 8, rowsMax: 512)
        let smallest = MemoryBudget.smallestBytes(for: demand)
        _ = try MemoryBudget(limitBytes: smallest, demand: demand)
        let error = try #require(throws: PlacementError.self) {
            _ = try MemoryBudget(limitBytes: smallest - 1, demand: demand)
        }
        #expect(error.code == .doesNotFit)
        #expect(error.message.contains("cache 512.0 MiB"), "\(error)")
        #expect(error.message.contains("give at least \(describeBytes(smallest))"), "\(error)")
        #expect(error.message.contains("or a context of at most 40"), "\(error)")
    }

    @Test("numbers beyond all bounds are refused, not added up")
    func overflow() {
        var demand = demand(seed: 1)
        demand.cacheBytes = .max
        #expect(throws: PlacementError.self) { _ = try MemoryBudget(limitBytes: .max - 1, demand: demand) }
    }
}
