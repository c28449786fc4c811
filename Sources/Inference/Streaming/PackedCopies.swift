import Devices
import ModelFiles
import Models
import Sharding
import Streaming
import WeightTransfer

/// Copies of matrices in a device's packed layout, kept on disk, so that weights that are read need not be packed each
/// time.
package struct PackedCopies {
    private let model: ModelFile
    private let spec: ModelSpec
    private let store: PackedStore
    private let device: any Device
    private let hashes: TensorHashes
    private let matrices: [StreamableMatrix]
    private let tensors: StreamedTensors
    /// SHA-256 of tensors, by name, where it is known.
    private var known: [String: FileHash]
    private var found: [String: PackedEntry] = [:]

    /// What is here already. Reads no weights.
    ///
    /// - Parameters:
    ///   - stated: hashes that a manifest states, by name.
    ///   - hashes: remembers those that are found out.
    package init(
        _ model: ModelFile, _ spec: ModelSpec, parts: [(layers: Range<Int>, hasHead: Bool)], store: PackedStore,
        stated: [String: FileHash] = [:], hashes: TensorHashes, device: any Device
    ) throws(InferenceError) {
        self.model = model
        self.spec = spec
        self.store = store
        self.device = device
        self.hashes = hashes
        tensors = try StreamedTensors(model)
        var all: [StreamableMatrix] = []
        for part in parts { all += try tensors.matrices(of: spec, layers: part.layers, hasHead: part.hasHead) }
        matrices = all
        known = stated.merging(hashes.known(of: model)) { $1 }
        for matrix in matrices where matrix.isFirstOfTensor {
            guard let hash = known[matrix.name] else { continue }
            found[matrix.name] = try stored { () throws(WeightTransferError) in
                try store.entry(
                    PackedStore.key(of: hash, layout: device.packedLayout), tileBytes: matrix.tileBytes,
                    tileCount: matrix.tensorTileCount)
            }
        }
    }

    private var missing: [StreamableMatrix] { matrices.filter { found[$0.name] == nil } }

    /// Bytes of disk space that copies take which are not here.
    package var neededBytes: Int {
        missing.filter(\.isFirstOfTensor).reduce(0) { sum, matrix in
            saturatingSum(sum, matrix.tensorTileCount * (matrix.tileBytes + 4) + 4096)
        }
    }

    /// Makes those that are not here; costs one read of their tensors.
    ///
    /// - Parameter progress: called with the bytes done and in all; throwing from it ends the work, and what is not whole
    ///   is gone.
    package mutating func make(progress: (Int, Int) throws(InferenceError) -> Void) throws(InferenceError) {
        let missing = missing
        guard !missing.isEmpty else { return }
        let plan = ResidencyPlan(missing, pinnedBytesMax: 0)
        let ring = try memory(4 * (plan.ringBytesMin / 2), "ring")
        let tiles = try memory(plan.slices.map { $0.packedBytes(missing) }.max() ?? 0, "tiles")
        let stream = PieceStream(
            files: tensors.files, pieces: plan.slices.map(\.piece),
            ring: UnsafeMutableRawBufferPointer(start: ring.base, count: ring.byteCount), owner: ring)
        stream.isRepeated = false
        let total = plan.streamedBytes
        var done = 0
        var computed: [String: FileHash] = [:]
        var index = 0
        while index < plan.slices.count {
            let matrix = missing[plan.slices[index].matrix]
            let writing = try stored { () throws(WeightTransferError) in
                try store.begin(tileBytes: matrix.tileBytes, tileCount: matrix.tensorTileCount)
            }
            var hasher = FileHasher()
            while index < plan.slices.count, missing[plan.slices[index].matrix].name == matrix.name {
                let slice = plan.slices[index]
                try write(slice, of: plan, from: stream, at: index, through: tiles, to: writing, &hasher)
                done += slice.piece.byteCount
                try progress(done, total)
                index += 1
            }
            let hash = hasher.finish()
            computed[matrix.name] = hash
            let key = PackedStore.key(of: hash, layout: device.packedLayout)
            found[matrix.name] = try stored { () throws(WeightTransferError) in
                // The same bytes under another name, or another process, came first.
                if let entry = try store.entry(
                    key, tileBytes: matrix.tileBytes, tileCount: matrix.tensorTileCount)
                {
                    return entry
                }
                return try store.finish(writing, as: key)
            }
        }
        hashes.remember(computed, of: model)
    }

    private func write(
        _ slice: ResidencyPlan.Slice, of plan: ResidencyPlan, from stream: PieceStream, at index: Int,
        through tiles: AlignedMemory, to writing: PackedWriting, _ hasher: inout FileHasher
    ) throws(InferenceError) {
        let bytes = try readingWeights { () throws(ModelFileError) in try stream.take(index) }
        defer { stream.release() }
        hasher.update(bytes)
        guard case .rows(let view) = plan.content(of: slice).view(bytes) else {
            preconditionFailure("copies are made of the model's own rows")
        }
        let target = UnsafeMutableRawBufferPointer(
            start: tiles.base, count: slice.packedBytes(plan.matrices))
        try onDevice("packing") { () throws(DeviceError) in try device.pack(view, into: target) }
        try stored { () throws(WeightTransferError) in try writing.append(UnsafeRawBufferPointer(target)) }
    }

    /// The model's tensors, matrices read from their copies where there are some.
    package func streamedTensors() throws(InferenceError) -> StreamedTensors {
        try StreamedTensors(model, packed: found)
    }

    private func memory(_ byteCount: Int, _ place: String) throws(InferenceError) -> AlignedMemory {
        try onDevice(place) { () throws(DeviceError) in try AlignedMemory(byteCount: byteCount, for: place) }
    }

    private func stored<Value>(
        _ work: () throws(WeightTransferError) -> Value
    ) throws(InferenceError) -> Value {
        do {
            return try work()
        } catch {
            throw InferenceError(.weights, place: "packed cache", "", cause: error)
        }
    }
}
