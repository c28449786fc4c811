import Devices
import Foundation
import Inference
import ModelFiles
import Sharding

@testable import Inference

/// A test model whose tensors lie in files of their own, to be read piece by piece; the files go with it.
final class StoredTestModel {
    let model: TestModel
    let tensors: StreamedTensors
    let folder: URL

    init(_ model: TestModel) throws {
        self.model = model
        folder = FileManager.default.temporaryDirectory.appending(path: "streamed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var pieces: [ModelFile.Piece] = []
        for (name, view) in model.source.all {
            let path = folder.appending(path: name)
            try Data(view.bytes).write(to: path)
            let shape = view.rowCount == 1 ? [view.columnCount] : [view.rowCount, view.columnCount]
            pieces.append(
                ModelFile.Piece(name: name, type: view.type, shape: shape, file: try MappedFile(path: path.path)))
        }
        tensors = try StreamedTensors(
            try ModelFile.assemble(name: "test", format: .safetensors, pieces: pieces))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// All bytes of matrices that would stay with any budget.
    func plan(pinnedBytesMax: Int) throws -> ResidencyPlan {
        ResidencyPlan(
            try tensors.matrices(of: model.spec, layers: 0..<model.spec.layers.count, hasHead: true),
            pinnedBytesMax: pinnedBytesMax)
    }

    func chain(
        pinnedBytesMax: Int, cacheType: CacheElementType = .f32, rowsMax: Int = 256,
        device: CPUDeviceOptions = CPUDeviceOptions(), tensors other: StreamedTensors? = nil
    ) throws -> ShardChain {
        let tensors = other ?? tensors
        let matrices = try tensors.matrices(of: model.spec, layers: 0..<model.spec.layers.count, hasHead: true)
        return try ShardChain(
            model: model.spec, tensors: tensors,
            plan: ResidencyPlan(matrices, pinnedBytesMax: pinnedBytesMax), ringBytes: 0,
            device: try CPUDevice(device),
            options: ShardChain.Options(
                shards: [0..<model.spec.layers.count], cacheType: cacheType, rowsMax: rowsMax, contextLength: 256))
    }
}

extension ShardChain {
    func allLogits(_ tokens: [TokenID], chunk: Int) throws -> [Float] {
        var all: [Float] = []
        try logits(of: tokens, chunk: chunk) { all += $0 }
        return all
    }
}
