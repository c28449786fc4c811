import Devices
import Glibc
import Inference
import ModelFiles
import Models
import Sharding
import WeightTransfer

/// Loading within a budget of memory: what fits stays, the rest is read from disk for each step.
extension PartLoader {
    /// How long the memory of an earlier part may take to be given back.
    private static let patience = Duration.seconds(10)

    /// - Parameter entries: of the store, whose files the model consists of.
    func stream(
        _ file: ModelFile, _ model: ModelSpec, name: String, unhashed: [LoadedPart.SourceFile],
        entries: [StoreEntry] = []
    ) throws(LoadProblem) -> LoadedPart {
        try PartNeeds.checkFrame(order, model)
        // Others may use, and protect, what lies in the store.
        let tensors = try streamedTensors(file, model, name: name, isStored: !entries.isEmpty)
        let presence = holders.enter()
        try waitForOthers(name: name)
        let setup = try waitForRoom(tensors, model, name: name)
        let total = setup.parts.reduce(0) { $0 + $1.plan.pinnedBytes }
        let device = try makeDevice()
        var done = 0
        var weights: [any WeightResidency] = []
        for part in setup.parts {
            do {
                let before = done
                weights.append(
                    try StreamedWeights(
                        model: model, layers: part.layers, hasHead: part.hasHead, tensors: setup.tensors,
                        plan: part.plan, ringBytes: part.ringBytes, device: device
                    ) { state throws(InferenceError) in
                        report.update(.packing, done: before + state.unitsDone, total: total)
                        if cancellation.isCancelled {
                            throw InferenceError(.weights, place: "load", "was cancelled")
                        }
                    })
            } catch {
                throw LoadProblem(Self.reason(error), "\(name): \(error)")
            }
            done += part.plan.pinnedBytes
        }
        return LoadedPart(
            order, model: model, device: device, weights: weights, weightBytes: total, unhashed: unhashed,
            entries: entries, streamed: tensors, presence: presence)
    }

    /// Packed copies where they are kept, made where they are missing; the model's own files otherwise.
    private func streamedTensors(
        _ file: ModelFile, _ model: ModelSpec, name: String, isStored: Bool
    ) throws(LoadProblem) -> StreamedTensors {
        let device = try makeDevice()
        do {
            guard let folder = configuration.packedCache else {
                return try StreamedTensors(file, allowsStatusChanges: isStored)
            }
            var copies = try PackedCopies(
                file, model, parts: order.stages.map { ($0.layers, $0.includesHead) },
                store: try PackedStore(folder: folder), hashes: TensorHashes(cacheFolder: folder), device: device)
            try copies.make { done, total throws(InferenceError) in
                report.update(.hashing, done: done, total: total)
                if cancellation.isCancelled { throw InferenceError(.weights, place: "load", "was cancelled") }
            }
            return try copies.streamedTensors()
        } catch let error as InferenceError {
            throw LoadProblem(Self.reason(error), "\(name): \(error)")
        } catch {
            throw LoadProblem(.other, "\(name): packed cache: \(error)")
        }
    }

    /// Weights of earlier epochs go when the step that uses them ends, however long that takes: what is planned before
    /// would make do with too little.
    private func waitForOthers(name: String) throws(LoadProblem) {
        while holders.count > 1 {
            if cancellation.isCancelled { throw LoadProblem(.other, "\(name): the load was cancelled") }
            usleep(20_000)
        }
    }

    /// The plan within the order's limit, as soon as what the process holds of earlier parts leaves room for it.
    private func waitForRoom(
        _ tensors: StreamedTensors, _ model: ModelSpec, name: String
    ) throws(LoadProblem) -> StreamingSetup {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                return try setup(tensors, model)
            } catch let error as PlacementError {
                guard ContinuousClock.now < deadline, !cancellation.isCancelled else {
                    throw LoadProblem(.outOfMemory, "\(name): \(error.message)")
                }
                usleep(20_000)
            } catch let error as InferenceError {
                throw LoadProblem(Self.reason(error), "\(name): \(error)")
            } catch {
                throw LoadProblem(.other, "\(name): \(error)")
            }
        }
    }

    private func setup(_ tensors: StreamedTensors, _ model: ModelSpec) throws -> StreamingSetup {
        let limits = order.limits
        let options = try order.stages.map { try ShardRunnerOptions($0, limits) }
        return try StreamingSetup(
            model, tensors: tensors, parts: options.map { ($0.layers, $0.hasHead) },
            demand: StreamingSetup.Demand(
                cacheType: limits.cacheType, contextLength: limits.contextLength,
                cacheBlockCount: options.first?.cacheBlockCount ?? 0, threads: threadCount, rowsMin: limits.maxRows,
                rowsMax: limits.maxRows, programBytes: MachineFiles().heldBytes),
            limitBytes: Int(clamping: limits.memoryBytes))
    }
}
