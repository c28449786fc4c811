import Sharding

/// What a worker that somebody else starts is told by its flags, beside its name, its coordinator and its keys.
enum WorkerFlags {
    /// - Parameters:
    ///   - models: folders that it looks in where its settings name none.
    ///   - device: what it computes on, where that is not what the settings say.
    static func flags(of worker: WorkerSettings, models: [String], device: String? = nil) -> [String] {
        var flags = ["--device", device ?? worker.device]
        if let threads = worker.threads { flags += ["--threads", "\(threads)"] }
        if let cpus = worker.cpus, !cpus.isEmpty {
            flags += ["--cpus", cpus.map(String.init).joined(separator: ",")]
        }
        if let bytes = worker.memoryBytes { flags += ["--memory", "\(bytes)"] }
        if worker.mode != .simple { flags += ["--mode", worker.mode.rawValue] }
        if let folder = worker.packedCache { flags += ["--packed-cache", folder] }
        for folder in worker.modelFolders.isEmpty ? models : worker.modelFolders { flags += ["--models", folder] }
        if let folder = worker.cacheFolder { flags += ["--cache", folder] }
        return flags
    }

    /// `cuda:1` → 1; nil for a CPU.
    static func gpu(of worker: WorkerSettings) -> Int? {
        worker.device.hasPrefix("cuda:") ? Int(worker.device.dropFirst(5)) : nil
    }
}
