import Devices
import Inference
import ModelFiles
import Sharding
import WeightTransfer

extension OpenedModel {
    /// Left free for others where no budget is given.
    package static let reserveBytes = 1 << 30

    /// Plans the whole model within a budget of memory for everything that this process holds, the program included.
    /// Loads nothing, but from here on the weights can only be read, no longer looked at in mapped files.
    ///
    /// Make the tokenizer before, where one is needed: what the process holds now is part of the plan.
    ///
    /// - Parameters:
    ///   - budgetBytes: nil takes what is free, less ``reserveBytes``, within the limits of control groups.
    ///   - packedCache: where weights are kept in the layout that is computed with; nil packs them each time.
    /// - Throws: ``ShardKitError`` `.doesNotFit` with the sum and the smallest budget.
    package func streamingSetup(
        budgetBytes: Int?, cacheType: CacheElementType, contextLength: Int, sequencesMax: Int = 1, threads: Int,
        packedCache: PackedCache? = nil
    ) throws(ShardKitError) -> StreamingSetup {
        do {
            try file.giveUpTensors()
            let tensors = try packedCache.map { try packedTensors($0, threads: threads) } ?? StreamedTensors(file)
            let machine = MachineFiles()
            // What the process holds already is not free any more, but is part of the budget.
            let free = saturatingSum(machine.memory.availableBytes, machine.processMemory?.residentBytes ?? 0)
            return try StreamingSetup(
                spec, tensors: tensors, parts: [(0..<spec.layers.count, true)],
                demand: StreamingSetup.Demand(
                    cacheType: cacheType, contextLength: contextLength,
                    cacheBlockCount: saturatingProduct(
                        KVCache.blocksNeeded(positions: contextLength), sequencesMax), threads: threads,
                    programBytes: machine.heldBytes),
                limitBytes: budgetBytes ?? max(0, free - Self.reserveBytes))
        } catch let error as ShardKitError {
            throw error
        } catch let error as PlacementError {
            throw ShardKitError(.doesNotFit, "\(file.name): \(error.message)")
        } catch {
            throw ShardKitError(error)
        }
    }

    /// Loads what stays of a planned model onto a CPU device; call it on the thread that will run it.
    package func chain(
        cpu: CPUDeviceOptions, _ setup: StreamingSetup, progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) -> ShardChain {
        let device = try Self.device(cpu)
        return try ShardChain(
            model: spec, tensors: setup.tensors, plan: setup.parts[0].plan, ringBytes: setup.parts[0].ringBytes,
            device: device,
            options: ShardChain.Options(
                shards: [0..<spec.layers.count], cacheType: setup.demand.cacheType,
                cacheBlockCount: setup.demand.cacheBlockCount, rowsMax: setup.rowsMax,
                contextLength: setup.demand.contextLength), progress: progress)
    }

    private func packedTensors(_ cache: PackedCache, threads: Int) throws -> StreamedTensors {
        let device = try CPUDevice(CPUDeviceOptions(threads: threads))
        let store = try PackedStore(folder: cache.folder)
        var copies = try PackedCopies(
            file, spec, parts: [(0..<spec.layers.count, true)], store: store,
            stated: manifest.map(TensorHashes.stated(by:)) ?? [:],
            hashes: TensorHashes(cacheFolder: cache.folder), device: device)
        let needed = copies.neededBytes
        if needed > 0 {
            let free = DiskSpace.freeBytes(cache.folder) ?? .max
            guard free > needed else {
                throw ShardKitError(
                    .doesNotFit,
                    "\(cache.folder): packed cache: expected \(describeBytes(needed)) of free disk space, got "
                        + "\(describeBytes(free)); name a folder on another disk, or go without --packed-cache")
            }
            guard cache.confirm(needed, free) else {
                throw ShardKitError(.request, "packed cache: not made, as was answered; go without --packed-cache")
            }
            try copies.make { done, total throws(InferenceError) in cache.progress(done, total) }
        }
        return try copies.streamedTensors()
    }
}

/// Where packed copies of weights are kept, and who is asked before they are made.
package struct PackedCache: Sendable {
    package var folder: String
    /// Told the bytes that copies will take and those that are free; false makes none.
    package var confirm: @Sendable (_ needed: Int, _ free: Int) -> Bool
    /// Told the bytes done and in all.
    package var progress: @Sendable (_ done: Int, _ total: Int) -> Void

    package init(
        folder: String, confirm: @escaping @Sendable (Int, Int) -> Bool = { _, _ in true },
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) {
        self.folder = folder
        self.confirm = confirm
        self.progress = progress
    }
}
