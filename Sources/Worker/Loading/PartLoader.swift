import Devices
import Inference
import ModelFiles
import Models
import Sharding
import Threads
import WeightTransfer

/// Loads one worker's part of a plan: finds the files, checks them, packs the layers' weights onto the device.
struct PartLoader {
    let order: LoadOrder
    let configuration: WorkerConfiguration
    /// nil for a worker that has the files.
    let exchange: WeightExchange?
    let holders: WeightHolders
    let report: LoadProgressReport
    let cancellation: LoadCancellation

    func load() throws(LoadProblem) -> LoadedPart {
        if let weights = order.weights, let exchange { return try gather(weights, exchange) }
        let needed = neededFiles()
        let found = try ModelFinder(folders: configuration.modelFolders).find(needed, folder: order.model.folder)
        let checks = try checks(of: needed, found.paths)
        let hashing = compareHashes(checks.hashed)
        do {
            let file = try open(found.folder, zip(needed, found.paths).filter { !$0.0.isCompanion }.map(\.1))
            let model = try describe(file)
            let part: LoadedPart
            if isStreaming {
                try giveUpTensors(of: file)
                part = try stream(file, model, name: file.name, unhashed: checks.unhashed)
            } else {
                let needs = try PartNeeds(order, model: model, file: file)
                part = try pack(file, model, needs, name: file.name, unhashed: checks.unhashed)
            }
            try hashing.wait()
            return part
        } catch {
            // A file that cannot be read is told by its hash, where that is wrong too.
            if error.reason == .invalidFile { try hashing.wait() }
            throw error
        }
    }

    private func giveUpTensors(of file: ModelFile) throws(LoadProblem) {
        do { try file.giveUpTensors() } catch { throw LoadProblem(.invalidFile, "\(error)") }
    }

    /// Puts the weights of the stages onto the device.
    ///
    /// - Parameter name: of the model, for errors.
    func pack(
        _ source: any TensorSource, _ model: ModelSpec, _ needs: PartNeeds, name: String,
        unhashed: [LoadedPart.SourceFile]
    ) throws(LoadProblem) -> LoadedPart {
        let presence = holders.enter()
        var done = 0
        let total = needs.weightBytes
        let device = try makeDevice()
        var weights: [any WeightResidency] = []
        for (stage, bytes) in zip(order.stages, needs.stageWeightBytes) {
            do {
                weights.append(
                    try ResidentWeights(
                        model: model, layers: stage.layers, hasHead: stage.includesHead, source: source, device: device
                    ) { state throws(InferenceError) in
                        report.update(
                            .packing, done: done + bytes * state.unitsDone / max(1, state.unitCount), total: total)
                        if cancellation.isCancelled {
                            throw InferenceError(.weights, place: "load", "was cancelled")
                        }
                    })
            } catch {
                if let cause = error.cause as? WeightTransferError { throw LoadProblem(cause) }
                throw LoadProblem(Self.reason(error), "\(name): \(error)")
            }
            done += bytes
        }
        return LoadedPart(
            order, model: model, device: device, weights: weights, weightBytes: needs.weightBytes, unhashed: unhashed,
            presence: presence)
    }

    /// Of a folder of shards, only those with units of these stages; else all.
    func neededFiles() -> [ModelReferenceFile] {
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

    /// A file whose hash the order names.
    private struct HashedFile: Sendable {
        var name: String
        var file: MappedFile
        var expected: FileHash
    }

    /// Compares sizes with the order's; what has no hash there is told from later versions by its state.
    private func checks(
        of files: [ModelReferenceFile], _ paths: [String]
    ) throws(LoadProblem) -> (hashed: [HashedFile], unhashed: [LoadedPart.SourceFile]) {
        var hashed: [HashedFile] = []
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
            if let expected = FileHash(bytes: file.sha256) {
                hashed.append(HashedFile(name: file.name, file: mapped, expected: expected))
            } else {
                unhashed.append(LoadedPart.SourceFile(path: path, identity: mapped.identity))
            }
        }
        return (hashed, unhashed)
    }

    /// Begins to compare hashes, while the weights are packed: so the files are read once.
    private func compareHashes(_ files: [HashedFile]) -> BackgroundWork<Void, LoadProblem> {
        let (cache, isForced, report) = (configuration.hashes, configuration.isVerifying, report)
        let keepsPages = !isStreaming
        let total = files.reduce(0) { $0 + $1.file.byteCount }
        return BackgroundWork(name: "shard-verify") { (isCancelled) throws(LoadProblem) in
            var done = 0
            for file in files {
                let hash: FileHash
                do {
                    hash = try cache.hash(of: file.file, isForced: isForced, keepsPages: keepsPages) {
                        bytes throws(CancellationError) in
                        done += bytes
                        report.update(.hashing, done: done, total: total)
                        if isCancelled() { throw CancellationError() }
                    }
                } catch {
                    throw LoadProblem(.other, "\(file.name): the load was cancelled")
                }
                guard hash == file.expected else {
                    throw LoadProblem(.hashMismatch, "\(file.name): sha256: expected \(file.expected), got \(hash)")
                }
            }
        }
    }

    func open(_ folder: String, _ paths: [String]) throws(LoadProblem) -> ModelFile {
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

    func describe(_ file: ModelFile) throws(LoadProblem) -> ModelSpec {
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

    /// Whether weights without room are read from disk for each step.
    var isStreaming: Bool { order.limits.residency == .memoryEfficient }

    var threadCount: Int { min(configuration.cpu.threads, order.threadCount ?? .max) }

    func makeDevice() throws(LoadProblem) -> any Device {
        var cpu = configuration.cpu
        cpu.threads = threadCount
        do {
            return try CPUDevice(cpu)
        } catch {
            throw LoadProblem(.other, "\(configuration.device): \(error)")
        }
    }

    static func reason(_ error: InferenceError) -> LoadFailure.Reason {
        switch error.code {
        case .missingTensor, .shapeMismatch, .weights: .invalidFile
        case .device:
            (error.cause as? DeviceError)?.code == .outOfMemory ? .outOfMemory : .other
        case .invalidOption, .invalidStep, .cacheFull: .other
        }
    }
}
