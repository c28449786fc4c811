import ModelFiles
import Tensors

/// A tensor that a specification names, and what it must look like.
package struct TensorRequirement: Sendable, Hashable {
    package var name: String
    /// Outermost dimension first.
    package var shape: [Int]
}

extension ModelSpec {
    package var embeddingRequirements: [TensorRequirement] {
        [TensorRequirement(name: embedding.weight, shape: [vocabularySize, hiddenSize])]
    }

    /// Output norm and output matrix.
    package var headRequirements: [TensorRequirement] {
        [TensorRequirement(name: head.norm.weight, shape: [hiddenSize])] + head.output.requirements
    }

    package func requirements(ofLayer index: Int) -> [TensorRequirement] {
        layers[index].requirements(hiddenSize: hiddenSize)
    }

    /// Checks that a file has what these layers, the embedding and the head name, in the right shapes, and nothing in
    /// those layers that would be ignored.
    ///
    /// - Parameter range: layers to look for; nil for all.
    package func validate(
        against file: ModelFile, layers range: Range<Int>? = nil, hasEmbedding: Bool = true, hasHead: Bool = true
    ) throws(ModelError) {
        let range = range ?? 0..<layers.count
        guard range.lowerBound >= 0, range.upperBound <= layers.count else {
            throw ModelError(
                .unsupported, file: file.name, field: "layers", expected: "a range within 0..<\(layers.count)",
                got: "\(range)")
        }
        if hasEmbedding { try check(embeddingRequirements, in: file) }
        var known: Set<String> = []
        for index in range {
            let requirements = requirements(ofLayer: index)
            try check(requirements, in: file)
            for requirement in requirements { known.insert(requirement.name) }
        }
        if hasHead { try check(headRequirements, in: file) }
        let naming = TensorNaming(file.format)
        for tensor in file.tensors {
            guard let (index, suffix) = naming.layer(of: tensor.name), range.contains(index),
                !known.contains(tensor.name), !naming.ignoredSuffixes.contains(where: { $0 == suffix })
            else { continue }
            throw ModelError(
                .unexpectedTensor, file: file.name, field: tensor.name,
                expected: "only tensors of a \(architecture) layer",
                got: "one that its metadata do not explain")
        }
    }

    private func check(_ requirements: [TensorRequirement], in file: ModelFile) throws(ModelError) {
        for requirement in requirements {
            guard let tensor = file.tensor(requirement.name) else {
                throw ModelError(
                    .missingTensor, file: file.name, field: requirement.name,
                    expected: "a tensor of shape \(requirement.shape)", got: "no tensor of that name")
            }
            guard tensor.shape == requirement.shape else {
                throw ModelError(
                    .shapeMismatch, file: file.name, field: requirement.name, expected: "shape \(requirement.shape)",
                    got: "\(tensor.shape)", hint: "is this the file that its metadata describe?")
            }
            // Vectors are added or multiplied element by element, and no kernel takes integers as weights.
            let isPlain = [.f32, .f16, .bf16].contains(tensor.type)
            let isWeight = isPlain || tensor.type.isQuantized
            guard requirement.shape.count == 1 ? isPlain : isWeight else {
                throw ModelError(
                    .unsupported, file: file.name, field: requirement.name,
                    expected: requirement.shape.count == 1 ? "f32, f16 or bf16" : "floating-point or quantized weights",
                    got: tensor.type.name)
            }
        }
    }
}

extension LayerSpec {
    /// The mechanism that keeps state, as manifests name it.
    package var kind: String { "attention" }

    /// Elements that one more token adds to the layer's cache: its keys and values.
    package var stateElementsPerToken: Int { 2 * attention.keyValueHeadCount * attention.headDim }

    /// Bytes of that in a cache of this type; nil when a head is no whole number of blocks.
    package func stateBytesPerToken(_ type: ElementType) -> Int? {
        guard attention.headDim % type.blockElementCount == 0 else { return nil }
        return type.byteCount(elementCount: stateElementsPerToken)
    }

    /// State of a sequence that does not grow.
    package var stateBytesFixed: Int { 0 }

    func requirements(hiddenSize: Int) -> [TensorRequirement] {
        var all = [TensorRequirement(name: inputNorm.weight, shape: [hiddenSize])]
        all += attention.query.requirements + attention.key.requirements + attention.value.requirements
        for norm in [attention.queryNorm, attention.keyNorm] {
            if let norm { all.append(TensorRequirement(name: norm.weight, shape: [attention.headDim])) }
        }
        all += attention.output.requirements
        all.append(TensorRequirement(name: feedForwardNorm.weight, shape: [hiddenSize]))
        var seen: Set<String> = []
        for matrix in feedForward.denseMatrices + feedForward.expertMatrices {
            // The matrices of a stack are one tensor.
            all += matrix.requirements.filter { seen.insert($0.name).inserted }
        }
        return all
    }
}

extension FeedForwardSpec {
    /// Those that every row is multiplied with.
    package var denseMatrices: [LinearSpec] {
        switch self {
        case .gated(let spec): [spec.gate, spec.up, spec.down]
        case .experts(let spec): [spec.router]
        }
    }

    /// Those of experts; matrices of one tensor one after the other.
    package var expertMatrices: [LinearSpec] {
        switch self {
        case .gated: []
        case .experts(let spec): spec.experts.map(\.gate) + spec.experts.map(\.up) + spec.experts.map(\.down)
        }
    }
}

extension LinearSpec {
    fileprivate var requirements: [TensorRequirement] {
        let matrix = TensorRequirement(
            name: weight, shape: (stack.map { [$0.count] } ?? []) + [outputCount, inputCount])
        return [matrix] + (bias.map { [TensorRequirement(name: $0, shape: [outputCount])] } ?? [])
    }
}
