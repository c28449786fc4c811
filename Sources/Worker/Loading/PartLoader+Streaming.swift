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
        let setup = try waitForRoom(file, model, name: name)
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
            entries: entries)
    }

    /// The plan within the order's limit, as soon as what the process holds of earlier parts leaves room for it.
    private func waitForRoom(
        _ file: ModelFile, _ model: ModelSpec, name: String
    ) throws(LoadProblem) -> StreamingSetup {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                return try setup(file, model)
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

    private func setup(_ file: ModelFile, _ model: ModelSpec) throws -> StreamingSetup {
        let limits = order.limits
        let options = try order.stages.map { try ShardRunnerOptions($0, limits) }
        return try StreamingSetup(
            model, tensors: try StreamedTensors(file), parts: options.map { ($0.layers, $0.hasHead) },
            demand: StreamingSetup.Demand(
                cacheType: limits.cacheType, contextLength: limits.contextLength,
                cacheBlockCount: options.first?.cacheBlockCount ?? 0, threads: threadCount, rowsMin: limits.maxRows,
                rowsMax: limits.maxRows, programBytes: MachineFiles().processMemory?.residentBytes ?? 0),
            limitBytes: Int(clamping: limits.memoryBytes))
    }
}
