import Foundation
import Sharding

/// Answer of `POST /v1/embeddings`.
struct EmbeddingsBody: Encodable, Sendable {
    struct Item: Encodable, Sendable {
        var object = "embedding"
        var index: Int
        var embedding: Vector
    }

    enum Vector: Encodable, Sendable {
        case numbers([Float])
        case base64(String)

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .numbers(let numbers): try numbers.encode(to: encoder)
            case .base64(let text): try text.encode(to: encoder)
            }
        }

        init(_ values: [Float], _ encoding: EmbeddingsRequest.Encoding) {
            switch encoding {
            case .float: self = .numbers(values)
            case .base64:
                var bytes = Data(capacity: values.count * MemoryLayout<Float>.size)
                for value in values {
                    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
                }
                self = .base64(bytes.base64EncodedString())
            }
        }
    }

    struct Usage: Encodable, Sendable {
        var promptTokens: Int
        var totalTokens: Int
    }

    var object = "list"
    var data: [Item]
    var model: String
    var usage: Usage

    /// - Throws: ``ServingError`` where the engine made no numbers.
    init(
        _ embeddings: [Embedding], _ encoding: EmbeddingsRequest.Encoding, model: String
    ) throws(ServingError) {
        var data: [Item] = []
        for (index, embedding) in embeddings.enumerated() {
            data.append(Item(index: index, embedding: Vector(try Self.unit(embedding.values), encoding)))
        }
        self.data = data
        self.model = model
        let count = embeddings.reduce(0) { $0 + $1.timings.promptTokens }
        usage = Usage(promptTokens: count, totalTokens: count)
    }

    /// The vector with length 1; one of zeros stays.
    private static func unit(_ values: [Float]) throws(ServingError) -> [Float] {
        let length = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        guard length.isFinite else { throw ServingError(.failed, nil, "the model gave an embedding that is no number") }
        return length > 0 ? values.map { Float(Double($0) / length) } : values
    }
}
