import Devices
import Inference
import Sharding
import Tensors

@testable import Models

/// A small model with seeded random weights of one element type.
struct TestModel {
    let spec: ModelSpec
    let source: MemoryTensors

    struct Sizes {
        var hidden: Int
        var feedForward: Int
        var headCount: Int
        var keyValueHeadCount: Int
        var headDim: Int
        var vocabulary = 301
        var layerCount = 3
        var window: Int?
        /// Of the layers but the first; those of the last layer are tensors of their own.
        var expertCount: Int?

        /// No multiples of 16 where the type's blocks allow it.
        static func odd(for type: ElementType) -> Sizes {
            switch type.blockElementCount {
            case 1: Sizes(hidden: 42, feedForward: 75, headCount: 3, keyValueHeadCount: 1, headDim: 14)
            case 32: Sizes(hidden: 96, feedForward: 160, headCount: 4, keyValueHeadCount: 1, headDim: 24)
            default: Sizes(hidden: 256, feedForward: 256, headCount: 32, keyValueHeadCount: 1, headDim: 8)
            }
        }

        /// Dense in the first layer, then a mixture of experts.
        static func mixture(for type: ElementType) -> Sizes {
            var sizes = odd(for: type)
            sizes.expertCount = 7
            return sizes
        }

        /// One layer, with rows of several blocks: little to compute for a test of many kernels.
        static func flat(for type: ElementType) -> Sizes {
            var sizes = odd(for: type)
            sizes.layerCount = 1
            sizes.vocabulary = 37
            if type.blockElementCount == 256 { sizes.feedForward = 512 }
            return sizes
        }
    }

    init(_ type: ElementType, sizes: Sizes? = nil, seed: UInt64 = 1) {
        let sizes = sizes ?? .odd(for: type)
        let source = MemoryTensors()
        var random = TestRandom(seed: seed)
        func matrix(_ name: String, _ rows: Int, _ columns: Int) -> LinearSpec {
            source.add(name, type, rows: rows, columns: columns, &random)
            return LinearSpec(weight: name, outputCount: rows, inputCount: columns)
        }
        func norm(_ name: String, _ count: Int) -> NormSpec {
            source.addVector(name, (0..<count).map { _ in 1 + 0.25 * random.signed() })
            return NormSpec(weight: name, epsilon: 1e-5)
        }
        let queryCount = sizes.headCount * sizes.headDim
        let keyValueCount = sizes.keyValueHeadCount * sizes.headDim
        let pairs = sizes.headDim / 2 - 1
        let rotary = RotarySpec(
            pairing: .halves, dimensionCount: 2 * pairs,
            frequencies: (0..<pairs).map { 1 / Float(1 << $0) }, magnitude: 1)
        func gated(_ name: (String) -> String, _ suffix: String, stack: StackPlace? = nil) -> GatedSpec {
            func matrix(_ part: String, _ rows: Int, _ columns: Int) -> LinearSpec {
                let name = name(part + suffix)
                if stack.map({ $0.index == 0 }) ?? true {
                    source.add(name, type, rows: rows * (stack?.count ?? 1), columns: columns, &random)
                }
                return LinearSpec(weight: name, outputCount: rows, inputCount: columns, stack: stack)
            }
            return GatedSpec(
                gate: matrix("ffn_gate", sizes.feedForward, sizes.hidden),
                up: matrix("ffn_up", sizes.feedForward, sizes.hidden),
                down: matrix("ffn_down", sizes.hidden, sizes.feedForward))
        }
        func feedForward(_ layer: Int, _ name: (String) -> String) -> FeedForwardSpec {
            guard let count = sizes.expertCount, layer > 0 else { return .gated(gated(name, "")) }
            let isStacked = layer < sizes.layerCount - 1
            source.add(name("ffn_gate_inp"), .f32, rows: count, columns: sizes.hidden, &random)
            return .experts(
                ExpertsSpec(
                    router: LinearSpec(
                        weight: name("ffn_gate_inp"), outputCount: count, inputCount: sizes.hidden),
                    experts: (0..<count).map { index in
                        isStacked
                            ? gated(name, "_exps", stack: StackPlace(index: index, count: count))
                            : gated(name, ".\(index)")
                    }, usedCount: 3, isNormalized: isStacked))
        }
        let layers = (0..<sizes.layerCount).map { index in
            let name = { (part: String) in "blk.\(index).\(part).weight" }
            var value = matrix(name("attn_v"), keyValueCount, sizes.hidden)
            if index == 1 {
                value.bias = "blk.1.attn_v.bias"
                source.addVector("blk.1.attn_v.bias", (0..<keyValueCount).map { _ in random.signed() })
            }
            return LayerSpec(
                inputNorm: norm(name("attn_norm"), sizes.hidden),
                attention: AttentionSpec(
                    headCount: sizes.headCount, keyValueHeadCount: sizes.keyValueHeadCount, headDim: sizes.headDim,
                    query: matrix(name("attn_q"), queryCount, sizes.hidden),
                    key: matrix(name("attn_k"), keyValueCount, sizes.hidden), value: value,
                    output: matrix(name("attn_output"), sizes.hidden, queryCount),
                    queryNorm: index == 2 ? norm(name("attn_q_norm"), sizes.headDim) : nil,
                    keyNorm: index == 2 ? norm(name("attn_k_norm"), sizes.headDim) : nil,
                    rotary: rotary, scale: 0.5, window: index == 0 ? sizes.window : nil),
                feedForwardNorm: norm(name("ffn_norm"), sizes.hidden),
                feedForward: feedForward(index, name))
        }
        let embedding = matrix("token_embd.weight", sizes.vocabulary, sizes.hidden)
        spec = ModelSpec(
            modelClass: "test", architecture: "test", vocabularySize: sizes.vocabulary, hiddenSize: sizes.hidden,
            contextLength: 1024, embedding: EmbeddingSpec(weight: embedding.weight), layers: layers,
            head: HeadSpec(norm: norm("output_norm.weight", sizes.hidden), output: embedding, isTied: true))
        self.source = source
    }

    /// The whole model on a CPU, cut into `shards`.
    func chain(
        shards: Int = 1, cacheType: CacheElementType = .f32, rowsMax: Int = 256, contextLength: Int = 1024,
        cacheBlockCount: Int? = nil, device options: CPUDeviceOptions = CPUDeviceOptions()
    ) throws -> ShardChain {
        try ShardChain(
            model: spec, source: source, device: CPUDevice(options),
            options: ShardChain.Options(
                shards: ShardLayout(layerCount: spec.layers.count, shardCount: shards).ranges, cacheType: cacheType,
                cacheBlockCount: cacheBlockCount, rowsMax: rowsMax, contextLength: contextLength))
    }

    /// Seeded tokens of the vocabulary.
    func tokens(_ count: Int, seed: UInt64 = 7) -> [TokenID] {
        var random = TestRandom(seed: seed)
        return (0..<count).map { _ in TokenID(random.next() % UInt64(spec.vocabularySize)) }
    }
}

/// Numbers of a seed, the same on every machine.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// From −1 up to 1.
    mutating func signed() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }
}
