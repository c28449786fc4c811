import CKernels
import Devices
import ModelFiles
import Models
import Streaming
import Tensors

/// Weights of which a part stays on the device, and the rest is read from disk for each step.
package final class StreamedWeights: WeightResidency {
    package let plan: ResidencyPlan
    /// Of what every step needs; nil where all of that is pinned.
    private let stream: PieceStream?
    /// Of experts; nil where all of them are pinned, and in models without.
    private let experts: ExpertStream?
    private let parts: LoadedParts
    private let found: ReadTrials.Result?
    /// Whose files the stream reads.
    private let tensors: StreamedTensors
    /// What the stream reads into.
    private let ring: AlignedMemory?

    /// Reads what stays: vectors, and the pinned slices of matrices.
    ///
    /// - Parameters:
    ///   - ringBytes: of the memory through which everything is read; no less than the plan's `ringBytesMin`.
    ///   - progress: as for ``ResidentWeights``, called after each pinned slice too; counts bytes as its units.
    package init(
        model: ModelSpec, layers: Range<Int>, hasHead: Bool, tensors: StreamedTensors, plan: ResidencyPlan,
        ringBytes: Int, device: any Device,
        progress: (ResidentWeights.Progress) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        self.plan = plan
        self.tensors = tensors
        let ring = try onDevice("ring") { () throws(DeviceError) in
            try plan.slices.isEmpty ? nil : AlignedMemory(byteCount: max(ringBytes, plan.ringBytesMin), for: "ring")
        }
        self.ring = ring
        let memory = UnsafeMutableRawBufferPointer(start: ring?.base, count: ring?.byteCount ?? 0)
        var maker = StreamedMaker(plan: plan, tensors: tensors, device: device)
        try onDevice("weights") { () throws(DeviceError) in try device.reserveWeights(plan.pinnedBytes) }
        found = try maker.loadPinned(through: memory, owner: ring, progress: progress)
        let rings = RingShare(memory, plan)
        let streamed = plan.everyStep.map { plan.slices[$0] }
        if !streamed.isEmpty {
            let stream = PieceStream(
                files: tensors.files, pieces: streamed.map(\.piece), ring: rings.everyStep, owner: ring,
                settings: found?.settings)
            if hasHead {
                stream.optionalFrom = streamed.firstIndex { $0.matrix == plan.matrices.count - 1 } ?? streamed.count
            }
            maker.stream = stream
        }
        if !plan.onDemand.isEmpty {
            maker.experts = try ExpertStream(plan, files: tensors.files, ring: rings.onDemand, owner: ring)
        }
        parts = try LoadedParts(model, layers: layers, hasHead: hasHead, maker: maker)
        stream = maker.stream
        experts = maker.experts
        stream?.begin()
    }

    /// How the files are read and how fast that was when it was found out; nil before.
    package var disk: ReadTrials.Result? { found ?? stream?.found }
    /// How they are read at the moment; nil where nothing is.
    package var settings: ReadSettings? { (stream ?? experts?.stream)?.settings }

    package var statistics: StreamStatistics {
        (stream?.statistics ?? StreamStatistics()) + (experts?.stream.statistics ?? StreamStatistics())
    }

    /// nil where no experts are read.
    package var expertStatistics: ExpertStatistics? { experts?.statistics }

    package func observe(_ observer: @escaping (StreamEvent) -> Void) {
        stream?.observer = observer
        experts?.stream.observer = observer
    }

    package func begin(needsHead: Bool) {
        stream?.usesOptional = needsHead
        experts?.beginStep(disk?.settings ?? stream?.settings)
    }

    package func attention(ofLayer index: Int) throws(InferenceError) -> AttentionWeights {
        parts.attention(ofLayer: index)
    }

    package func feedForward(ofLayer index: Int) throws(InferenceError) -> FeedForwardWeights {
        parts.feedForward(ofLayer: index)
    }

    package func head() throws(InferenceError) -> HeadWeights { try parts.head() }
}

/// What of the memory for reading each stream gets: what it must have, and half of the rest.
private struct RingShare {
    let everyStep: UnsafeMutableRawBufferPointer
    let onDemand: UnsafeMutableRawBufferPointer

    init(_ memory: UnsafeMutableRawBufferPointer, _ plan: ResidencyPlan) {
        let onDemandBytes =
            plan.onDemand.isEmpty
            ? 0
            : plan.everyStep.isEmpty
                ? memory.count : plan.expertRingBytesMin + (memory.count - plan.ringBytesMin) / 2 / 4096 * 4096
        everyStep = UnsafeMutableRawBufferPointer(rebasing: memory[onDemandBytes...])
        onDemand = UnsafeMutableRawBufferPointer(rebasing: memory[..<onDemandBytes])
    }
}

/// Puts matrices together from slices on the device and slices of the stream.
private struct StreamedMaker: WeightMaker {
    let plan: ResidencyPlan
    let tensors: StreamedTensors
    let device: any Device
    var stream: PieceStream?
    var experts: ExpertStream?
    private var pinned: [Int: any DeviceMatrix] = [:]
    /// Indices of the plan's slices, and each one's index among those that are read as it is.
    private let slices: [StreamableMatrix.Key: Range<Int>]
    private let pieces: [Int: Int]

    init(plan: ResidencyPlan, tensors: StreamedTensors, device: any Device) {
        self.plan = plan
        self.tensors = tensors
        self.device = device
        var slices: [StreamableMatrix.Key: Range<Int>] = [:]
        for (index, slice) in plan.slices.enumerated() {
            let key = plan.matrices[slice.matrix].key
            slices[key] = (slices[key]?.lowerBound ?? index)..<index + 1
        }
        self.slices = slices
        pieces = Dictionary(
            uniqueKeysWithValues: plan.everyStep.enumerated().map { ($1, $0) }
                + plan.onDemand.enumerated().map { ($1, $0) })
    }

    func vector(_ name: String, count: Int) throws(InferenceError) -> any DeviceVector {
        try tensors.withVector(name, count: count) { view throws(InferenceError) in
            try onDevice(name) { () throws(DeviceError) in try device.makeVector(view) }
        }
    }

    func matrix(_ spec: LinearSpec) throws(InferenceError) -> WeightMatrix {
        let (resident, streamed) = try split(spec, cache: nil)
        return WeightMatrix(
            outputCount: spec.outputCount, resident: resident, streamed: streamed,
            stream: streamed.isEmpty ? nil : stream)
    }

    func experts(_ spec: ExpertsSpec) throws(InferenceError) -> any ExpertWeights {
        guard let experts else {
            var all: [GatedWeights] = []
            for expert in spec.experts { all.append(try gated(expert)) }
            return ResidentExperts(all)
        }
        var all: [(gate: StreamedExperts.Matrix, up: StreamedExperts.Matrix, down: StreamedExperts.Matrix)] = []
        for expert in spec.experts {
            all.append(
                (
                    try expertMatrix(expert.gate, experts), try expertMatrix(expert.up, experts),
                    try expertMatrix(expert.down, experts)
                ))
        }
        return StreamedExperts(all, from: experts)
    }

    private func expertMatrix(
        _ spec: LinearSpec, _ experts: ExpertStream
    ) throws(InferenceError) -> StreamedExperts.Matrix {
        let (resident, others) = try split(spec, cache: experts.cache)
        return StreamedExperts.Matrix(outputCount: spec.outputCount, resident: resident, others: others)
    }

    /// A matrix's slices that stay, and those that are read.
    private func split(
        _ spec: LinearSpec, cache: ExpertCache?
    ) throws(InferenceError) -> (resident: [ResidentSlice], streamed: [StreamedSlice]) {
        var resident: [ResidentSlice] = []
        var streamed: [StreamedSlice] = []
        for index in slices[StreamableMatrix.Key(name: spec.weight, index: spec.stack?.index ?? 0)] ?? 0..<0 {
            let slice = plan.slices[index]
            let name = plan.matrices[slice.matrix].name
            if let handle = pinned[index] {
                resident.append(ResidentSlice(firstRow: slice.rows.lowerBound, matrix: handle))
            } else if let piece = pieces[index] {
                let bias = try bias(of: slice)
                streamed.append(
                    StreamedSlice(
                        firstRow: slice.rows.lowerBound, content: plan.content(of: slice),
                        bias: try bias?.withView { view throws(InferenceError) in
                            try onDevice(name) { () throws(DeviceError) in try device.makeVector(view) }
                        }, piece: piece, cache: cache))
            }
        }
        return (resident, streamed)
    }

    /// Reads the pinned slices and packs them onto the device.
    ///
    /// - Returns: how the files are read fastest, where that was found out.
    mutating func loadPinned(
        through ring: UnsafeMutableRawBufferPointer, owner: AlignedMemory?,
        progress: (ResidentWeights.Progress) throws(InferenceError) -> Void
    ) throws(InferenceError) -> ReadTrials.Result? {
        let indices = plan.slices.indices.filter { plan.slices[$0].isPinned }
        guard !indices.isEmpty else { return nil }
        let loading = PieceStream(
            files: tensors.files, pieces: indices.map { plan.slices[$0].piece }, ring: ring,
            owner: owner)
        loading.isRepeated = false
        var state = ResidentWeights.Progress(unitsDone: 0, unitCount: plan.pinnedBytes)
        for (position, index) in indices.enumerated() {
            let slice = plan.slices[index]
            let matrix = plan.matrices[slice.matrix]
            let bias = try bias(of: slice)
            let bytes = try readingWeights { () throws(ModelFileError) in try loading.take(position) }
            defer { loading.release() }
            let content = plan.content(of: slice)
            try content.check(bytes)
            let view = content.view(bytes)
            pinned[index] = try onDevice(matrix.name) { () throws(DeviceError) in
                guard let bias else { return try makeMatrix(view, bias: nil) }
                return try bias.withView { bias throws(DeviceError) in try makeMatrix(view, bias: bias) }
            }
            state.unitsDone += slice.piece.byteCount
            try progress(state)
        }
        return loading.found
    }

    private func makeMatrix(_ view: SliceContent.View, bias: TensorView?) throws(DeviceError) -> any DeviceMatrix {
        switch view {
        case .rows(let view): try device.makeMatrix(view, bias: bias) { _ in }
        case .packed(let view): try device.makeMatrix(view, bias: bias)
        }
    }

    /// The part of a bias that goes with a slice's rows.
    private func bias(of slice: ResidencyPlan.Slice) throws(InferenceError) -> BiasPart? {
        let matrix = plan.matrices[slice.matrix]
        guard let name = matrix.bias else { return nil }
        let tensor = try tensors.tensor(name, rowCount: 1, columnCount: matrix.rowCount)
        guard let bytes = tensor.type.byteCount(elementCount: 1) else {
            throw InferenceError(
                .weights, place: name, "expected a bias of f32, f16 or bf16, got \(tensor.type.name)")
        }
        let range = tensor.offset + slice.rows.lowerBound * bytes..<tensor.offset + slice.rows.upperBound * bytes
        var part = [UInt8](repeating: 0, count: range.count)
        let result = part.withUnsafeMutableBytes { target -> Result<Void, InferenceError> in
            Result { () throws(InferenceError) in try tensors.read(range, ofFile: tensor.fileIndex, into: target) }
        }
        try result.get()
        return BiasPart(type: tensor.type, bytes: part)
    }
}

private struct BiasPart {
    var type: ElementType
    var bytes: [UInt8]

    func withView<Value, Failure: Error>(_ body: (TensorView) throws(Failure) -> Value) throws(Failure) -> Value {
        let count = bytes.count / max(1, type.blockBytes)
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(Failure) in
                try body(TensorView(type: type, rowCount: 1, columnCount: count, bytes: bytes))
            }
        }
        return try result.get()
    }
}
