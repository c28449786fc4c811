import Sharding

/// A model by its sizes alone, for clusters larger than any that is here: no weights, and tokens that are foretold.
package struct ModelShape: Sendable {
    package var name: String
    package var layerCount: Int
    package var hiddenSize: Int
    package var feedForwardSize: Int
    package var headCount: Int
    package var keyValueHeadCount: Int
    package var headDim = 128
    package var vocabularySize = 128_256
    /// Bits of a weight, of layers and of the head; those of Q4_K and Q6_K.
    package var layerBits = 4.5
    package var headBits = 6.5625

    /// The sizes of Llama 3.1 405B.
    package static let llama405B = ModelShape(
        name: "405B-like", layerCount: 126, hiddenSize: 16384, feedForwardSize: 53248, headCount: 128,
        keyValueHeadCount: 8)

    /// A made-up one: layers of the 70B model's sizes, so many that each of 1000 workers has two, or the head.
    package static let deep = ModelShape(
        name: "deep-1998", layerCount: 1998, hiddenSize: 8192, feedForwardSize: 28672, headCount: 64,
        keyValueHeadCount: 8)

    package static let all = [llama405B, deep]

    /// Weights of a layer: queries, keys, values, output; gate, up and down.
    package var layerWeightCount: Int {
        let attention = 2 * headCount * headDim + 2 * keyValueHeadCount * headDim
        return hiddenSize * (attention + 3 * feedForwardSize)
    }

    package var headWeightCount: Int { hiddenSize * vocabularySize }

    /// Bytes of all weights.
    package var weightBytes: Int { layerCount * Self.bytes(layerWeightCount, layerBits) + headBytes }

    private var headBytes: Int { Self.bytes(headWeightCount, headBits) }

    private static func bytes(_ weightCount: Int, _ bits: Double) -> Int { Int(Double(weightCount) * bits / 8) }

    /// As a placement counts it: a cache of f16, hidden states and working memory of f32.
    package var placementModel: PlacementModel {
        let layer = PlacementModel.Layer(
            weightBytes: Self.bytes(layerWeightCount, layerBits),
            stateBytesPerToken: 2 * keyValueHeadCount * headDim * 2)
        return PlacementModel(
            name: name, layers: Array(repeating: layer, count: layerCount), headWeightBytes: headBytes,
            rowBytes: hiddenSize * 4, scratchBytesPerRow: (4 * hiddenSize + 2 * feedForwardSize) * 4,
            headScratchBytesPerRow: vocabularySize * 4)
    }
}
