import Streaming

/// The experts of a layer of which those that rows go to are read, unless they are in the cache.
final class StreamedExperts: ExpertWeights {
    /// A matrix of an expert: its slices that always stay, and the others.
    struct Matrix {
        let outputCount: Int
        let resident: [ResidentSlice]
        let others: [StreamedSlice]
    }

    private let experts: [(gate: Matrix, up: Matrix, down: Matrix)]
    private let source: ExpertStream
    private var cache: ExpertCache { source.cache }

    init(_ experts: [(gate: Matrix, up: Matrix, down: Matrix)], from source: ExpertStream) {
        self.experts = experts
        self.source = source
    }

    func begin(_ groups: [ExpertRouting.Group]) {
        // In the order of the products: the stream reads ahead along it.
        var slices: [StreamedSlice] = []
        for group in groups {
            slices += experts[group.expert].gate.others + experts[group.expert].up.others
        }
        for group in groups { slices += experts[group.expert].down.others }
        cache.begin(slices.map(\.piece))
        let absent = slices.filter { cache.matrix($0.piece) == nil }
        source.statistics.neededBytes += slices.reduce(0) { $0 + $1.byteCount }
        source.statistics.readBytes += absent.reduce(0) { $0 + $1.byteCount }
        source.stream.ask(for: absent.map(\.piece))
    }

    func weights(of expert: Int) -> GatedWeights {
        let matrices = experts[expert]
        return GatedWeights(gate: current(matrices.gate), up: current(matrices.up), down: current(matrices.down))
    }

    private func current(_ matrix: Matrix) -> WeightMatrix {
        var resident = matrix.resident
        var streamed: [StreamedSlice] = []
        for slice in matrix.others {
            if let cached = cache.matrix(slice.piece) {
                resident.append(ResidentSlice(firstRow: slice.firstRow, matrix: cached))
            } else {
                streamed.append(slice)
            }
        }
        return WeightMatrix(
            outputCount: matrix.outputCount, resident: resident, streamed: streamed,
            stream: streamed.isEmpty ? nil : source.stream)
    }
}

/// Where experts of all layers come from.
final class ExpertStream {
    let cache: ExpertCache
    let stream: PieceStream
    var statistics: ExpertStatistics

    /// - Parameter ring: no less than the plan's `expertRingBytesMin`.
    init(
        _ plan: ResidencyPlan, files: [PieceFile], ring: UnsafeMutableRawBufferPointer, owner: AnyObject?
    ) throws(InferenceError) {
        let slices = plan.onDemand.map { plan.slices[$0] }
        cache = try ExpertCache(
            sliceBytes: slices.map { $0.packedBytes(plan.matrices) }, byteCount: plan.expertCacheBytes)
        stream = PieceStream.onDemand(files: files, pieces: slices.map(\.piece), ring: ring, owner: owner)
        statistics = ExpertStatistics(cacheBytes: cache.byteCount)
    }

    /// - Parameter settings: how the files are read fastest, where that is known.
    func beginStep(_ settings: ReadSettings?) {
        cache.beginStep()
        if let settings { stream.settings = settings }
    }
}

/// What steps needed of experts that do not always stay.
package struct ExpertStatistics: Sendable, Hashable {
    /// Of memory for those that were used of late.
    package var cacheBytes: Int
    package var neededBytes = 0
    /// Of those needed, the ones that were not there.
    package var readBytes = 0

    package func since(_ earlier: ExpertStatistics?) -> ExpertStatistics {
        var difference = self
        difference.neededBytes -= earlier?.neededBytes ?? 0
        difference.readBytes -= earlier?.readBytes ?? 0
        return difference
    }

    /// 0 to 1; nil before anything was needed.
    package var hitRate: Double? {
        neededBytes == 0 ? nil : 1 - Double(readBytes) / Double(neededBytes)
    }
}
