import ArgumentParser
import Devices
import Foundation
import Inference
import ShardKit
import Sharding
import Terminal

enum CacheType: String, CaseIterable, ExpressibleByArgument {
    case f32, f16, q8_0

    var element: CacheElementType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .q8_0: .q8_0
        }
    }
}

enum Mode: String, CaseIterable, ExpressibleByArgument {
    case simple
    case memoryEfficient = "memory-efficient"
}

enum ActivationType: String, CaseIterable, ExpressibleByArgument {
    case int8, float

    var activations: CPUDeviceOptions.Activations {
        switch self {
        case .int8: .int8
        case .float: .float
        }
    }
}

/// Which model runs where.
struct ModelOptions: ParsableArguments {
    @Argument(help: "A GGUF file, a Hugging Face directory, or a folder of shards.")
    var model: String

    @Option(
        help: """
            How weights are held: simple (all in memory), or memory-efficient (what fits a budget stays, the rest is read \
            from disk for each token).
            """)
    var mode: Mode = .simple

    @Option(
        help: ArgumentHelp(
            """
            All the memory that this process may take in mode memory-efficient, such as 2GiB; by default what is free, \
            less 1 GiB.
            """, valueName: "bytes"))
    var memoryBudget: ByteCount?

    @Option(
        help: ArgumentHelp(
            """
            A folder for copies of the weights in the layout that is computed with, which mode memory-efficient then reads \
            instead of the model's file; they take about as much disk space as that.
            """, valueName: "folder"))
    var packedCache: String?

    @Option(help: "What computes: cpu. CUDA cannot compute yet.")
    var device = "cpu"

    @Option(help: "Threads that compute; by default one a core that this process may use, without efficiency cores.")
    var threads: Int?

    @Option(help: "Worker processes on this machine that share the layers; 1 computes in this process.")
    var workers = 1

    @Option(
        help: ArgumentHelp(
            "A cluster.yaml: compute through its workers, on this machine and on others, instead of in this process.",
            valueName: "file"))
    var cluster: String?

    @Flag(help: "Compare the hashes of a folder of shards anew, even of files that have not changed.")
    var verify = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: expected 1 to 1024, got \(threads)")
        }
        if cluster != nil, workers > 1 { throw ValidationError("--cluster: expected no --workers beside it") }
        if memoryBudget != nil, mode != .memoryEfficient {
            throw ValidationError("--memory-budget: expected --mode memory-efficient beside it")
        }
        if packedCache != nil, mode != .memoryEfficient {
            throw ValidationError("--packed-cache: expected --mode memory-efficient beside it")
        }
        if mode == .memoryEfficient, usesWorkers {
            throw ValidationError(
                cluster == nil
                    ? "--mode memory-efficient: expected no --workers beside it; it runs in this process"
                    : "--mode: expected none beside --cluster; the file says how each worker holds its weights")
        }
        if workers < 1 { throw ValidationError("--workers: expected at least 1, got \(workers)") }
    }

    /// Whether other processes compute.
    var usesWorkers: Bool { workers > 1 || cluster != nil }

    /// Refuses what cannot run yet, by name.
    func checkSupport() throws {
        if device != "cpu" {
            let isCUDA = device.hasPrefix("cuda")
            throw ProgramError(
                .configuration,
                isCUDA
                    ? "--device \(device): CUDA cannot compute yet; use --device cpu"
                    : "--device: expected cpu, got \(device); list devices with: shard devices")
        }
    }

    /// Opens the model on a thread of its own, as hashes may have to be read.
    func open() async throws -> OpenedModel {
        try checkSupport()
        let hashes: OpenedModel.HashCheck =
            switch mode {
            case .memoryEfficient: verify ? .forcedFirst : .rememberedFirst
            case .simple: verify ? .forced : usesWorkers ? .byLoader : .remembered
            }
        let path = model
        return try await OwnThread.run { _ in try OpenedModel(path: path, hashes: hashes) }
    }
}
