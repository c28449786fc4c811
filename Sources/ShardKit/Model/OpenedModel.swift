import Devices
import Foundation
import Inference
import ModelFiles
import Models
import Sharding
import Threads
import Tokenizers

/// A model as a user names it: a GGUF file, a Hugging Face directory, or a folder of shards.
package struct OpenedModel: Sendable {
    package let path: String
    package let file: ModelFile
    package let spec: ModelSpec
    package let hyperparameters: ModelHyperparameters
    /// Of a folder of shards.
    package let manifest: ShardManifest?

    /// Of a folder of shards whose hashes are compared; ``chain(cpu:cacheType:contextLength:sequencesMax:rowsMax:progress:)``
    /// waits for it, and packs the weights meanwhile.
    private let verification: BackgroundWork<Void, ShardingError>?

    /// Layers of each shard; one range for a model that was not split.
    package var shards: [Range<Int>] { manifest?.layerRanges ?? [0..<spec.layers.count] }

    /// When the hashes of a shard folder are compared with its manifest; a single file has nothing to compare with.
    package enum HashCheck: Sendable {
        /// Whoever loads the shards does it: workers.
        case byLoader
        /// Files that changed since they were last found right.
        case remembered
        case forced
        /// Likewise, but before anything else, and nothing of them stays in the page cache.
        case rememberedFirst
        case forcedFirst
    }

    /// Maps and checks the files; reads no weights but for hashes. Not on the cooperative pool: pages may have to come
    /// from the disk.
    package init(path: String, hashes: HashCheck) throws(ShardKitError) {
        do {
            self.path = path
            if ShardFolder.exists(at: path) {
                let folder = try ShardFolder(path: path)
                file = try folder.open()
                spec = try ModelSpec(describing: file)
                manifest = folder.manifest
                switch hashes {
                case .byLoader: verification = nil
                case .remembered, .forced:
                    verification = BackgroundWork(name: "shard-verify") { (isCancelled) throws(ShardingError) in
                        try folder.verifyFiles(
                            cache: .standard(), isForced: hashes == .forced, isCancelled: isCancelled)
                    }
                case .rememberedFirst, .forcedFirst:
                    try folder.verifyFiles(cache: .standard(), isForced: hashes == .forcedFirst, keepsPages: false)
                    verification = nil
                }
            } else {
                verification = nil
                file = try ModelFile.open(path)
                spec = try ModelSpec(describing: file)
                manifest = nil
            }
            hyperparameters = try file.hyperparameters()
            try spec.validate(against: file)
        } catch {
            throw ShardKitError(error)
        }
    }

    /// How the model's makers suggest to sample; greedy where they say nothing.
    package var sampling: SamplingParameters {
        let defaults = hyperparameters.generation
        var sampling = SamplingParameters.greedy
        sampling.repetitionPenalty = defaults.repetitionPenalty ?? 1
        guard defaults.isSampling ?? (defaults.temperature != nil) else { return sampling }
        sampling.temperature = defaults.temperature ?? 1
        sampling.topK = defaults.topK ?? 0
        sampling.topP = defaults.topP ?? 1
        sampling.minP = defaults.minP ?? 0
        return sampling
    }

    package func tokenizer() throws(ShardKitError) -> Tokenizer {
        do { return try Tokenizer(model: file) } catch { throw ShardKitError(error) }
    }

    /// Tokens that end an answer: what the tokenizer and the model's configuration name.
    package func endTokens(_ tokenizer: Tokenizer?) -> Set<TokenID> {
        (tokenizer?.endTokens ?? []).union(hyperparameters.eosTokenIDs.compactMap { TokenID(exactly: $0) })
    }

    /// The template that the model brings, or the one that a user names.
    ///
    /// - Parameter choice: name of a built-in template or path of a file; nil takes the model's.
    package func chatTemplate(_ choice: String? = nil) throws(ShardKitError) -> ChatTemplate {
        do {
            if let choice {
                do {
                    guard FileManager.default.fileExists(atPath: choice) else { return try ChatTemplate.named(choice) }
                    return try ChatTemplate(source: try MappedFile(path: choice).text(), name: choice)
                } catch {
                    throw ShardKitError(.request, "\(error)")
                }
            }
            let templates = try file.chatTemplates()
            if let source = templates.first(where: { $0.name == ChatTemplateSource.defaultName }) ?? templates.first {
                return try ChatTemplate(source: source.source, name: source.name)
            }
        } catch {
            throw ShardKitError(error)
        }
        throw ShardKitError(
            .request,
            "\(file.name): chat template: expected one in the model, got none; name one of "
                + "\(ChatTemplate.names.joined(separator: ", ")), or a file")
    }

    /// Refuses a model that needs more memory than there is: weights, the cache of all sequences, and activations.
    package func checkMemory(
        cacheType: CacheElementType, contextLength: Int, sequencesMax: Int = 1, rowsMax: Int = 256,
        availableBytes: Int = MachineFiles().memory.availableBytes
    ) throws(ShardKitError) {
        let options = ShardRunnerOptions(
            layers: 0..<spec.layers.count, hasHead: true, cacheType: cacheType, cacheBlockCount: 1, rowsMax: rowsMax,
            contextLength: contextLength)
        let parts = ModelParts(of: file, as: spec)
        let weights = ModelParts.weightBytes(parts.shared + parts.layers.flatMap { $0 } + parts.head)
        let blocks = saturatingProduct(KVCache.blocksNeeded(positions: contextLength), sequencesMax)
        let cache = saturatingProduct(options.cacheBytes(of: spec), blocks)
        let scratch = options.scratchBytes(of: spec)
        let needed = saturatingSum(saturatingSum(weights, cache), scratch)
        guard needed <= availableBytes else {
            throw ShardKitError(
                .doesNotFit,
                "\(file.name): needs \(describeBytes(needed)) (weights \(describeBytes(weights)) + cache "
                    + "\(describeBytes(cache)) + activations \(describeBytes(scratch))), "
                    + "\(describeBytes(availableBytes)) are free; use a smaller context, or spread it over machines")
        }
    }

    /// Puts all shards onto a CPU device; call it on the thread that will run them.
    package func chain(
        cpu: CPUDeviceOptions, cacheType: CacheElementType, contextLength: Int, sequencesMax: Int = 1,
        rowsMax: Int = 256, progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) -> ShardChain {
        let device = try Self.device(cpu)
        let options = ShardChain.Options(
            shards: shards, cacheType: cacheType,
            cacheBlockCount: KVCache.blocksNeeded(positions: contextLength) * sequencesMax, rowsMax: rowsMax,
            contextLength: contextLength)
        do {
            let chain = try ShardChain(model: spec, source: file, device: device, options: options, progress: progress)
            try compareHashes()
            return chain
        } catch {
            // Of what follows from a damaged file, that it is damaged says most.
            try compareHashes()
            throw error
        }
    }

    static func device(_ cpu: CPUDeviceOptions) throws(InferenceError) -> CPUDevice {
        do { return try CPUDevice(cpu) } catch { throw InferenceError(.device, place: "cpu", "\(error)") }
    }

    private func compareHashes() throws(InferenceError) {
        do throws(ShardingError) { try verification?.wait() } catch {
            throw InferenceError(.weights, place: error.place, error.description, cause: error)
        }
    }
}
