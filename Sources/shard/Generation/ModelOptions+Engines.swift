import Devices
import Inference
import ShardKit
import Sharding
import Terminal

extension ModelOptions {
    var cpuOptions: CPUDeviceOptions {
        CPUDeviceOptions(threads: threads ?? CPUDeviceOptions.defaultThreads).withEnvironment()
    }

    /// The model in this process, on a thread of its own.
    func localEngine(
        _ model: OpenedModel, cacheType: CacheElementType, contextLength: Int, showsProgress: Bool
    ) async throws -> LocalEngine {
        let cpu = cpuOptions
        let bytes = model.file.byteCount
        return try await LocalEngine(LocalEngine.Options(name: model.file.name, sequencesMax: 1)) {
            () throws(InferenceError) in
            let bar = ProgressBar("loading", isShown: showsProgress)
            defer { bar.finish() }
            return try model.chain(cpu: cpu, cacheType: cacheType, contextLength: contextLength) { part in
                bar.update(done: Int(part * Double(bytes)), total: bytes)
            }
        }
    }
}
