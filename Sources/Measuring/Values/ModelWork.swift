import ModelFiles
import Models
import Sharding
import Tensors

/// The least that a test can cost: what must be read and multiplied, however it is done.
package struct Work: Sendable, Hashable {
    /// Weights, keys and values that are read from memory.
    package var bytes: Double
    /// Operations on quantised weights; a multiplication and an addition count as two.
    package var integerOperations: Double
    /// The same on weights of F32, F16 and BF16.
    package var floatOperations: Double

    package init(bytes: Double, integerOperations: Double, floatOperations: Double) {
        self.bytes = bytes
        self.integerOperations = integerOperations
        self.floatOperations = floatOperations
    }
}

/// What a model's weights and cache make a test cost.
package struct ModelWork: Sendable, Hashable {
    /// Weights that a unit reads once a step, and multiplies each of the step's rows with; of experts as many as a row goes
    /// to.
    struct Weights: Sendable, Hashable {
        var bytes = 0
        var quantizedCount = 0
        var floatCount = 0

        init(_ tensors: [TensorInfo]) {
            for tensor in tensors { add(tensor) }
        }

        init(_ layers: [(spec: LayerSpec, tensors: [TensorInfo])]) {
            for (spec, tensors) in layers {
                let experts = Set(spec.feedForward.expertMatrices.map(\.weight))
                for tensor in tensors {
                    guard case .experts(let mixture) = spec.feedForward, experts.contains(tensor.name) else {
                        add(tensor)
                        continue
                    }
                    add(tensor, part: (mixture.usedCount, mixture.experts.count))
                }
            }
        }

        private mutating func add(_ tensor: TensorInfo, part: (used: Int, all: Int) = (1, 1)) {
            bytes += tensor.byteCount * part.used / part.all
            // Vectors are no products, and few.
            guard tensor.shape.count > 1 else { return }
            let count = tensor.elementCount * part.used / part.all
            if tensor.type.isQuantized { quantizedCount += count } else { floatCount += count }
        }
    }

    /// Keys and values of layers that see equally far.
    struct Cache: Sendable, Hashable {
        /// Of one position, all these layers together.
        var bytesPerPosition: Int
        /// Positions that are seen at most; nil: all.
        var window: Int?

        /// Bytes that a row reads which sees `positions` positions, its own included.
        func bytes(positions: Int) -> Int { bytesPerPosition * min(positions, window ?? .max) }
    }

    let layers: Weights
    let head: Weights
    let caches: [Cache]
    /// Of one token.
    let embeddingBytes: Int

    package init(of file: ModelFile, as spec: ModelSpec, cacheType: CacheElementType) {
        let parts = ModelParts(of: file, as: spec)
        layers = Weights(zip(spec.layers, parts.layers).map { ($0, $1) })
        head = Weights(parts.head)
        caches = Dictionary(grouping: spec.layers, by: \.attention.window).map { window, layers in
            Cache(
                bytesPerPosition: layers.reduce(0) {
                    $0 + (cacheType.byteCount(elementCount: $1.stateElementsPerToken) ?? 0)
                }, window: window)
        }
        embeddingBytes = parts.embedding.reduce(0) { $0 + $1.byteCount / max(1, $1.rowCount) }
    }

    /// - Parameter rowsMax: rows of a step at most.
    package func work(of test: BenchmarkTest, rowsMax: Int) -> Work {
        let tokens = test.tokenCountTotal
        // Of each step: the rows of a sequence, and the positions that its last row sees.
        var steps: [(rows: Int, positions: Int)] = []
        let rows = test.kind == .prompt ? rowsMax : 1
        for first in stride(from: 0, to: test.tokenCount, by: rows) {
            let end = min(first + rows, test.tokenCount)
            steps.append((end - first, test.depth + end))
        }
        let headRows = test.kind == .prompt ? 1 : tokens
        let headSteps = test.kind == .prompt ? 1 : steps.count
        let cached = steps.reduce(0) { sum, step in
            sum + caches.reduce(0) { $0 + $1.bytes(positions: step.positions) }
        }
        return Work(
            bytes: Double(steps.count * layers.bytes) + Double(headSteps * head.bytes)
                + Double(cached * test.sequenceCount) + Double(tokens * embeddingBytes),
            integerOperations: 2
                * (Double(tokens) * Double(layers.quantizedCount) + Double(headRows) * Double(head.quantizedCount)),
            floatOperations: 2
                * (Double(tokens) * Double(layers.floatCount) + Double(headRows) * Double(head.floatCount)))
    }
}
