import ModelFiles
import Tensors

extension ModelSpec {
    /// Describes the model that a file, a folder, or any of its shards belongs to.
    ///
    /// A shard describes the whole model too, but whether its output matrix is tied shows only in a file with a head.
    /// - Throws: ``ModelError`` `.unknownFamily` with the known ones, `.unsupported` for variants that are not there.
    package init(describing file: ModelFile) throws(ModelError) {
        self = try ModelBuilder(file).build()
    }
}

/// Turns hyperparameters of a known family into a specification.
struct ModelBuilder {
    private let file: ModelFile
    private let family: ModelFamily
    private let parameters: ModelHyperparameters
    private let naming: TensorNaming
    private let rotary: RotarySpec

    init(_ file: ModelFile) throws(ModelError) {
        self.file = file
        naming = TensorNaming(file.format)
        let architecture: String
        do throws(ModelFileError) {
            architecture = try file.architecture()
        } catch {
            throw ModelError(error)
        }
        // The family first: hyperparameters of an unknown one may have any form.
        family = try Self.family(named: architecture, of: file)
        do throws(ModelFileError) {
            parameters = try file.hyperparameters()
        } catch {
            throw ModelError(error)
        }
        try Self.check(parameters, of: family, file)
        rotary = try Self.rotary(parameters, family, file, naming)
    }

    private static func family(named name: String, of file: ModelFile) throws(ModelError) -> ModelFamily {
        let found = ModelFamily.all.first {
            file.format == .gguf ? $0.ggufArchitectures.contains(name) : $0.modelTypes.contains(name)
        }
        guard let found else {
            throw ModelError(
                .unknownFamily, file: file.name,
                field: file.format == .gguf ? "general.architecture" : "config.json: model_type",
                expected: "one of \(ModelFamily.all.map(\.name).joined(separator: ", "))", got: name)
        }
        return found
    }

    private static func check(
        _ parameters: ModelHyperparameters, of family: ModelFamily, _ file: ModelFile
    ) throws(ModelError) {
        let known = "known are \(ModelFamily.all.map(\.name).joined(separator: ", "))"
        func refuse(_ field: String, _ expected: String, _ got: String) -> ModelError {
            ModelError(.unsupported, file: file.name, field: field, expected: expected, got: got, hint: known)
        }
        if let experts = parameters.experts, family.experts == nil {
            throw refuse("expert_count", "a dense \(family.name) model", "a mixture of \(experts.count) experts")
        }
        if let activation = parameters.activation, activation != "silu" {
            throw refuse("hidden_act", "silu", activation)
        }
        guard parameters.headCount % parameters.keyValueHeadCount == 0 else {
            throw refuse(
                "key-value heads", "a divisor of \(parameters.headCount) heads", "\(parameters.keyValueHeadCount)")
        }
    }

    private static func rotary(
        _ parameters: ModelHyperparameters, _ family: ModelFamily, _ file: ModelFile, _ naming: TensorNaming
    ) throws(ModelError) -> RotarySpec {
        let factors = try rotaryFactors(file, naming, count: parameters.rope.dimensionCount / 2)
        let frequencies = RotaryFrequencies(parameters.rope, factors: factors)
        guard frequencies.values.allSatisfy(\.isFinite), frequencies.magnitude.isFinite else {
            throw ModelError(
                .unsupported, file: file.name, field: "rope", expected: "finite frequencies",
                got: "base \(parameters.rope.base), scaling \(parameters.rope.scaling)")
        }
        return RotarySpec(
            pairing: file.format == .gguf ? family.ggufPairing : .halves,
            dimensionCount: parameters.rope.dimensionCount, frequencies: frequencies.values,
            magnitude: frequencies.magnitude)
    }

    private static func rotaryFactors(_ file: ModelFile, _ naming: TensorNaming, count: Int) throws(ModelError)
        -> [Float]?
    {
        guard let name = naming.rotaryFactors, let tensor = file.tensor(name) else { return nil }
        guard tensor.type == .f32, tensor.shape == [count] else {
            throw ModelError(
                .shapeMismatch, file: file.name, field: name, expected: "f32 of shape [\(count)]",
                got: "\(tensor.type.name) of shape \(tensor.shape)")
        }
        let bytes: UnsafeRawBufferPointer
        do throws(ModelFileError) {
            bytes = try file.view(name).bytes
        } catch {
            throw ModelError(error)
        }
        let factors = (0..<count).map {
            Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
        }
        guard factors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw ModelError(
                .unsupported, file: file.name, field: name, expected: "finite factors above 0", got: "others")
        }
        return factors
    }

    func build() throws(ModelError) -> ModelSpec {
        let isTied = isEmbeddingTied
        let spec = ModelSpec(
            modelClass: parameters.modelClass,
            architecture: family.name,
            vocabularySize: parameters.vocabularySize,
            hiddenSize: parameters.hiddenSize,
            contextLength: parameters.contextLength,
            embedding: EmbeddingSpec(weight: naming.embedding),
            layers: (0..<parameters.blockCount).map(layer),
            head: HeadSpec(
                norm: NormSpec(weight: naming.outputNorm, epsilon: parameters.normEpsilon),
                output: LinearSpec(
                    weight: isTied ? naming.embedding : naming.output + ".weight", bias: outputBias,
                    outputCount: parameters.vocabularySize, inputCount: parameters.hiddenSize),
                isTied: isTied))
        return spec
    }

    private var isEmbeddingTied: Bool {
        if file.format == .safetensors, let isTied = parameters.isEmbeddingTied { return isTied }
        return !file.contains(naming.output + ".weight")
    }

    private var outputBias: String? {
        let name = naming.output + ".bias"
        return file.contains(name) ? name : nil
    }

    private func layer(_ index: Int) -> LayerSpec {
        let (heads, shared) = (parameters.headCount, parameters.keyValueHeadCount)
        let (dim, hidden, inner) = (parameters.headDim, parameters.hiddenSize, parameters.feedForwardSize)
        return LayerSpec(
            inputNorm: norm(.inputNorm, index),
            attention: AttentionSpec(
                headCount: heads, keyValueHeadCount: shared, headDim: dim,
                query: linear(.query, index, heads * dim, hidden),
                key: linear(.key, index, shared * dim, hidden),
                value: linear(.value, index, shared * dim, hidden),
                output: linear(.output, index, hidden, heads * dim),
                queryNorm: family.hasHeadNorms ? norm(.queryNorm, index) : nil,
                keyNorm: family.hasHeadNorms ? norm(.keyNorm, index) : nil,
                rotary: rotary, scale: 1 / Float(dim).squareRoot(), window: window(index)),
            feedForwardNorm: norm(.feedForwardNorm, index),
            feedForward: experts(index)
                ?? .gated(
                    GatedSpec(
                        gate: linear(.gate, index, inner, hidden), up: linear(.up, index, inner, hidden),
                        down: linear(.down, index, hidden, inner))))
    }

    /// nil for a layer without.
    private func experts(_ layer: Int) -> FeedForwardSpec? {
        guard let experts = parameters.experts, experts.isUsed(in: layer), let rule = family.experts else { return nil }
        let names = file.format == .gguf ? ExpertNaming.gguf : rule.names
        let (hidden, inner) = (parameters.hiddenSize, experts.feedForwardSize)
        func matrix(_ name: String, _ expert: Int, _ outputs: Int, _ inputs: Int) -> LinearSpec {
            let isStacked = !name.contains("#")
            return LinearSpec(
                weight: naming.weight(name.replacing("#", with: "\(expert)"), layer), outputCount: outputs,
                inputCount: inputs, stack: isStacked ? StackPlace(index: expert, count: experts.count) : nil)
        }
        return .experts(
            ExpertsSpec(
                router: LinearSpec(
                    weight: naming.weight(names.router, layer), outputCount: experts.count, inputCount: hidden),
                experts: (0..<experts.count).map { expert in
                    GatedSpec(
                        gate: matrix(names.gate, expert, inner, hidden), up: matrix(names.up, expert, inner, hidden),
                        down: matrix(names.down, expert, hidden, inner))
                },
                usedCount: experts.usedCount, isNormalized: experts.isNormalized ?? rule.isNormalized))
    }

    private func norm(_ role: TensorNaming.Role, _ index: Int) -> NormSpec {
        NormSpec(weight: naming.weight(role, index), epsilon: parameters.normEpsilon)
    }

    private func linear(_ role: TensorNaming.Role, _ index: Int, _ outputs: Int, _ inputs: Int) -> LinearSpec {
        LinearSpec(
            weight: naming.weight(role, index), bias: hasBias(role, index) ? naming.bias(role, index) : nil,
            outputCount: outputs, inputCount: inputs)
    }

    private func hasBias(_ role: TensorNaming.Role, _ index: Int) -> Bool {
        let isQueryKeyValue = role == .query || role == .key || role == .value
        if file.format == .gguf, !(isQueryKeyValue && family.attentionBias == .queryKeyValue) {
            return file.contains(naming.bias(role, index))
        }
        switch role {
        case .gate, .up, .down: return parameters.hasFeedForwardBias ?? false
        case .query, .key, .value, .output:
            switch family.attentionBias {
            case .none: return false
            case .stated: return parameters.hasAttentionBias ?? false
            case .queryKeyValue: return isQueryKeyValue
            }
        default: return false
        }
    }

    private func window(_ index: Int) -> Int? {
        guard let window = parameters.slidingWindow, window.covers(index) else { return nil }
        // A GGUF file states a window only for models that have one.
        if file.format == .gguf { return window.size }
        switch family.window {
        case .ignored: return nil
        case .always: return window.size
        case .whenEnabled: return window.isEnabled == true ? window.size : nil
        }
    }
}
