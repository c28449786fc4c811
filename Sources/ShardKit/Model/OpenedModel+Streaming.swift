import Devices
import Inference
import ModelFiles
import Sharding

extension OpenedModel {
    /// Left free for others where no budget is given.
    package static let reserveBytes = 1 << 30

    /// Plans the whole model within a budget of memory for everything that this process holds, the program included.
    /// Loads nothing, but from here on the weights can only be read, no longer looked at in mapped files.
    ///
    /// Make the tokenizer before, where one is needed: what the process holds now is part of the plan.
    ///
    /// - Parameter budgetBytes: nil takes what is free, less ``reserveBytes``, within the limits of control groups.
    /// - Throws: ``ShardKitError`` `.doesNotFit` with the sum and the smallest budget.
    package func streamingSetup(
        budgetBytes: Int?, cacheType: CacheElementType, contextLength: Int, sequencesMax: Int = 1, threads: Int
    ) throws(ShardKitError) -> StreamingSetup {
        do {
            try file.giveUpTensors()
            let machine = MachineFiles()
            let programBytes = machine.processMemory?.residentBytes ?? 0
            // What the process holds already is not free any more, but is part of the budget.
            let free = saturatingSum(machine.memory.availableBytes, programBytes)
            return try StreamingSetup(
                spec, tensors: try StreamedTensors(file), parts: [(0..<spec.layers.count, true)],
                demand: StreamingSetup.Demand(
                    cacheType: cacheType, contextLength: contextLength,
                    cacheBlockCount: saturatingProduct(
                        KVCache.blocksNeeded(positions: contextLength), sequencesMax), threads: threads,
                    programBytes: programBytes),
                limitBytes: budgetBytes ?? max(0, free - Self.reserveBytes))
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
        let device: CPUDevice
        do { device = try CPUDevice(cpu) } catch { throw InferenceError(.device, place: "cpu", "\(error)") }
        return try ShardChain(
            model: spec, tensors: setup.tensors, plan: setup.parts[0].plan, ringBytes: setup.parts[0].ringBytes,
            device: device,
            options: ShardChain.Options(
                shards: [0..<spec.layers.count], cacheType: setup.demand.cacheType,
                cacheBlockCount: setup.demand.cacheBlockCount, rowsMax: setup.budget.rowsMax,
                contextLength: setup.demand.contextLength), progress: progress)
    }
}
