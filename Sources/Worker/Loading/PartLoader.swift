import Devices
import Inference
import ModelFiles
import Models
import Sharding

/// Loads one worker's part of a plan: finds the files, checks them, packs the layers' weights onto the device.
struct PartLoader {
    /// Told the bytes done and in all; false ends the load.
    typealias Progress = (_ done: Int, _ total: Int) -> Bool

    let order: LoadOrder
    let configuration: WorkerConfiguration

    func load(_ progress: @escaping Progress) throws(LoadProblem) -> LoadedPart {
        let needed = neededFiles()
        let found = try ModelFinder(folders: configuration.modelFolders).find(needed, folder: order.model.folder)
        let checked = try check(needed, found.paths, progress)
        var done = checked.hashedBytes
        let file = try open(found.folder, zip(needed, found.paths).filter { !$0.0.isCompanion }.map(\.1))
        let model = try describe(file)
        let needs = try PartNeeds(order, model: model, file: file)
        let total = done + needs.weightBytes
        let device = try makeDevice()
        var weights: [any WeightResidency] = []
        for (stage, bytes) in zip(order.stages, needs.stageWeightBytes) {
            do {
                weights.append(
                    try ResidentWeights(
                        model: model, layers: stage.layers, hasHead: stage.includesHead, source: file, device: device
                    ) { state throws(InferenceError) in
                        guard progress(done + bytes * state.unitsDone / max(1, state.unitCount), total) else {
                            throw InferenceError(.weights, place: "load", "was cancelled")
                        }
                    })
            } catch {
                throw LoadProblem(Self.reason(error), "\(file.name): \(error)")
            }
            done += bytes
        }
        return LoadedPart(
            order, model: model, device: device, weights: weights, weightBytes: needs.weightBytes,
            unhashed: checked.unhashed)
    }

    /// Of a folder of shards, only those with units of these stages; else all.
    private func neededFiles() -> [ModelReferenceFile] {
        guard order.model.format == .shards else { return order.model.files }
        return order.model.files.filter { file in
            file.units.isEmpty
                || file.units.contains { unit in
                    switch unit {
                    case .embedding: false
                    case .layer(let index): order.stages.contains { $0.layers.contains(index) }
                    case .head: order.stages.contains(where: \.includesHead)
                    }
                }
        }
    }

    /// Compares sizes and hashes with the order's; returns the bytes that were hashed, and the files without a hash.
    private func check(
        _ files: [ModelReferenceFile], _ paths: [String], _ progress: Progress
    ) throws(LoadProblem) -> (hashedBytes: Int, unhashed: [LoadedPart.SourceFile]) {
        let total = files.reduce(0) { $0 &+ ($1.sha256.isEmpty ? 0 : Int(clamping: $1.bytes)) }
        var done = 0
        var unhashed: [LoadedPart.SourceFile] = []
        for (file, path) in zip(files, paths) {
            let mapped: MappedFile
            do {
                mapped = try MappedFile(path: path)
            } catch {
                throw LoadProblem(.fileMissing, "\(error)")
            }
            guard UInt64(mapped.byteCount) == file.bytes else {
                throw LoadProblem(
                    .hashMismatch, "\(file.name): size: expected \(file.bytes) bytes, got \(mapped.byteCount)")
            }
            guard let expected = FileHash(bytes: file.sha256) else {
                unhashed.append(LoadedPart.SourceFile(path: path, identity: mapped.identity))
                continue
            }
            let hash: FileHash
            do {
                hash = try configuration.hashes.hash(of: mapped, isForced: configuration.isVerifying) {
                    bytes throws(CancellationError) in
                    done += bytes
                    if !progress(done, total) { throw CancellationError() }
                }
            } catch {
                throw LoadProblem(.other, "\(file.name): the load was cancelled")
            }
            guard hash == expected else {
                throw LoadProblem(.hashMismatch, "\(file.name): sha256: expected \(expected), got \(hash)")
            }
        }
        return (done, unhashed)
    }

    private func open(_ folder: String, _ paths: [String]) throws(LoadProblem) -> ModelFile {
        guard let first = paths.first else {
            throw LoadProblem(.invalidFile, "model: files: expected some with weights, got none")
        }
        do {
            switch order.model.format {
            case .gguf: return try ModelFile.open(first)
            case .huggingFace: return try ModelFile.open(folder)
            case .shards: return try ModelFile.open(files: paths)
            }
        } catch {
            throw LoadProblem(.invalidFile, "\(error)")
        }
    }

    private func describe(_ file: ModelFile) throws(LoadProblem) -> ModelSpec {
        do throws(ModelError) {
            let model = try ModelSpec(describing: file)
            for stage in order.stages {
                try model.validate(
                    against: file, layers: stage.layers, hasEmbedding: false, hasHead: stage.includesHead)
            }
            return model
        } catch {
            throw LoadProblem(.invalidFile, "\(error)")
        }
    }

    private func makeDevice() throws(LoadProblem) -> any Device {
        do {
            return try CPUDevice(configuration.cpu)
        } catch {
            throw LoadProblem(.other, "\(configuration.device): \(error)")
        }
    }

    private static func reason(_ error: InferenceError) -> LoadFailure.Reason {
        switch error.code {
        case .missingTensor, .shapeMismatch, .weights: .invalidFile
        case .device:
            (error.cause as? DeviceError)?.code == .outOfMemory ? .outOfMemory : .other
        case .invalidOption, .invalidStep, .cacheFull: .other
        }
    }
}
