import CKernels
import Devices
import ModelFiles
import Models
import Streaming
import Tensors

/// Weights of which a part stays on the device, and the rest is read from disk for each step.
package final class StreamedWeights: WeightResidency {
    package let plan: ResidencyPlan
    /// nil where everything is pinned.
    package let stream: PieceStream?
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
        let streamed = plan.slices.filter { !$0.isPinned }
        if !streamed.isEmpty {
            let stream = PieceStream(
                files: tensors.files, pieces: streamed.map(\.piece), ring: memory, owner: ring,
                settings: found?.settings)
            if hasHead {
                stream.optionalFrom = streamed.firstIndex { $0.matrix == plan.matrices.count - 1 } ?? streamed.count
            }
            maker.stream = stream
        }
        parts = try LoadedParts(model, layers: layers, hasHead: hasHead, maker: maker)
        stream = maker.stream
    }

    /// How the files are read and how fast that was when it was found out; nil before.
    package var disk: ReadTrials.Result? { found ?? stream?.found }

    package func begin(needsHead: Bool) { stream?.usesOptional = needsHead }

    package func attention(ofLayer index: Int) throws(InferenceError) -> AttentionWeights {
        parts.attention(ofLayer: index)
    }

    package func feedForward(ofLayer index: Int) throws(InferenceError) -> FeedForwardWeights {
        parts.feedForward(ofLayer: index)
    }

    package func head() throws(InferenceError) -> HeadWeights { try parts.head() }
}

/// Puts matrices together from slices on the device and slices of the stream.
private struct StreamedMaker: WeightMaker {
    let plan: ResidencyPlan
    let tensors: StreamedTensors
    let device: any Device
    var stream: PieceStream?
    private var pinned: [Int: any DeviceMatrix] = [:]

    init(plan: ResidencyPlan, tensors: StreamedTensors, device: any Device) {
        self.plan = plan
        self.tensors = tensors
        self.device = device
    }

    func vector(_ name: String, count: Int) throws(InferenceError) -> any DeviceVector {
        try tensors.withVector(name, count: count) { view throws(InferenceError) in
            try onDevice(name) { () throws(DeviceError) in try device.makeVector(view) }
        }
    }

    func matrix(_ spec: LinearSpec) throws(InferenceError) -> WeightMatrix {
        var resident: [ResidentSlice] = []
        var streamed: [StreamedSlice] = []
        var pieceIndex = 0
        for (index, slice) in plan.slices.enumerated() {
            defer { if !slice.isPinned { pieceIndex += 1 } }
            let matrix = plan.matrices[slice.matrix]
            guard matrix.name == spec.weight else { continue }
            if let handle = pinned[index] {
                resident.append(ResidentSlice(firstRow: slice.rows.lowerBound, matrix: handle))
                continue
            }
            let bias = try bias(of: slice)
            streamed.append(
                StreamedSlice(
                    firstRow: slice.rows.lowerBound, content: plan.content(of: slice),
                    bias: try bias?.withView { view throws(InferenceError) in
                        try onDevice(matrix.name) { () throws(DeviceError) in try device.makeVector(view) }
                    }, piece: pieceIndex))
        }
        return WeightMatrix(
            outputCount: spec.outputCount, resident: resident, streamed: streamed,
            stream: streamed.isEmpty ? nil : stream)
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
