/// What a budget of memory goes to, planned before anything loads: what a process holds in any case, working memory,
/// and weights that stay; the other weights are read from disk for each step.
///
/// From the smallest budget on, what is more goes to weights for the most part, and a little to longer chunks of prompts
/// and to reading ahead. More budget never means fewer weights that stay.
package struct MemoryBudget: Sendable, Hashable {
    /// What the process needs, whatever its budget.
    package struct Demand: Sendable, Hashable {
        /// What it holds before it loads: the program, the tokenizer, the model's description.
        package var programBytes: Int
        /// Norms and biases, which always stay.
        package var vectorBytes: Int
        /// All matrices together.
        package var matrixBytes: Int
        /// Keys and values of all sequences; and what a position of one of them takes of that.
        package var cacheBytes: Int
        package var cacheBytesPerPosition: Int
        /// Working memory whatever the rows, and for each row of a step.
        package var scratchBytes: Int
        package var scratchBytesPerRow: Int
        /// Twice the largest piece that is read.
        package var ringBytesMin: Int
        /// Rows that a step must be able to have, and rows that are of use.
        package var rowsMin: Int
        package var rowsMax: Int

        package init(
            programBytes: Int, vectorBytes: Int = 0, matrixBytes: Int = 0, cacheBytes: Int = 0,
            cacheBytesPerPosition: Int = 0, scratchBytes: Int = 0, scratchBytesPerRow: Int = 0, ringBytesMin: Int,
            rowsMin: Int, rowsMax: Int
        ) {
            self.programBytes = programBytes
            self.vectorBytes = vectorBytes
            self.matrixBytes = matrixBytes
            self.cacheBytes = cacheBytes
            self.cacheBytesPerPosition = cacheBytesPerPosition
            self.scratchBytes = scratchBytes
            self.scratchBytesPerRow = scratchBytesPerRow
            self.ringBytesMin = ringBytesMin
            self.rowsMin = rowsMin
            self.rowsMax = rowsMax
        }
    }

    package let limitBytes: Int
    package let demand: Demand
    /// Rows of a step at most, and the working memory for them.
    package let rowsMax: Int
    package let scratchBytes: Int
    /// Of the memory through which weights are read.
    package let ringBytes: Int
    /// Weights of matrices that may stay.
    package let pinnedBytesMax: Int

    /// What grows while the process runs, and what the system holds for it: text, threads, tables of pages.
    private static let marginBytes = 16 << 20
    private static let pageTableShare = 256
    /// More is of no use: the disk is busy with less.
    private static let ringBytesMax = 64 << 20
    /// Parts of what is beyond the smallest budget.
    private static let scratchShare = 16
    private static let ringShare = 32

    /// - Throws: ``PlacementError`` `.doesNotFit` with the sum, the smallest budget that works, and the context that
    ///   would fit.
    package init(limitBytes: Int, demand: Demand) throws(PlacementError) {
        self.limitBytes = limitBytes
        self.demand = demand
        let smallest = Self.smallestBytes(for: demand)
        guard limitBytes >= smallest else { throw Self.doesNotFit(limitBytes, demand) }
        let excess = limitBytes - smallest
        let scratchMin = saturatingProduct(demand.scratchBytesPerRow, demand.rowsMin)
        let scratchMax = saturatingProduct(demand.scratchBytesPerRow, demand.rowsMax)
        let scratch = min(scratchMin + excess / Self.scratchShare, scratchMax)
        scratchBytes = saturatingSum(demand.scratchBytes, scratch)
        rowsMax = demand.scratchBytesPerRow == 0 ? demand.rowsMax : max(1, scratch / demand.scratchBytesPerRow)
        ringBytes = min(
            demand.ringBytesMin + excess / Self.ringShare, max(demand.ringBytesMin, Self.ringBytesMax))
        let room =
            excess - excess / Self.pageTableShare - (scratch - scratchMin) - (ringBytes - demand.ringBytesMin)
        pinnedBytesMax = max(0, min(demand.matrixBytes, room))
    }

    /// Matrices of so many bytes are read in some hundred pieces, none of them larger than this where they can be cut so.
    package static func pieceBytes(ofMatrices bytes: Int) -> Int { min(pieceBytesMax, bytes / piecesMin) }
    private static let pieceBytesMax = 8 << 20
    private static let piecesMin = 512

    /// The smallest budget with which anything runs: every matrix is read for each step.
    package static func smallestBytes(for demand: Demand) -> Int {
        let parts = [
            demand.programBytes, demand.vectorBytes, demand.cacheBytes, demand.scratchBytes,
            saturatingProduct(demand.scratchBytesPerRow, demand.rowsMin), demand.ringBytesMin,
            pageCacheBytes(demand), marginBytes,
        ]
        let sum = parts.reduce(0, saturatingSum)
        return saturatingSum(sum, sum / pageTableShare)
    }

    /// What buffered reads put into the page cache before it is given back.
    package static func pageCacheBytes(_ demand: Demand) -> Int { demand.ringBytesMin }
    package var pageCacheBytes: Int { Self.pageCacheBytes(demand) }

    /// Everything but weights, cache and scratch.
    package var otherBytes: Int {
        limitBytes - demand.vectorBytes - demand.cacheBytes - scratchBytes - ringBytes - pinnedBytesMax
    }

    private static func doesNotFit(_ limitBytes: Int, _ demand: Demand) -> PlacementError {
        let smallest = smallestBytes(for: demand)
        let working = smallest - demand.programBytes - demand.vectorBytes - demand.cacheBytes
        let withoutCache = smallest - demand.cacheBytes
        var advice = "give at least \(describeBytes(smallest))"
        if demand.cacheBytesPerPosition > 0, limitBytes > withoutCache {
            let positions = (limitBytes - withoutCache) / demand.cacheBytesPerPosition
            if positions > 0 { advice += ", or a context of at most \(positions)" }
        }
        return PlacementError(
            .doesNotFit,
            "memory budget: expected at least \(describeBytes(smallest)) (program and tokenizer "
                + "\(describeBytes(demand.programBytes)) + norms \(describeBytes(demand.vectorBytes)) + cache "
                + "\(describeBytes(demand.cacheBytes)) + working memory \(describeBytes(working))), got "
                + "\(describeBytes(limitBytes)); \(advice)")
    }
}
