import Tensors

extension ModelFile {
    /// Elements of all tensors, which is how parameters are counted.
    package var parameterCount: Int {
        tensors.reduce(0) { $0 + $1.elementCount }
    }

    /// Bytes of tensors by element type, most first.
    package var bytesByType: [(type: ElementType, byteCount: Int)] {
        var sums: [ElementType: Int] = [:]
        for tensor in tensors { sums[tensor.type, default: 0] += tensor.byteCount }
        return sums.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0.rawValue) < ($0.1, $1.0.rawValue) }
    }
}
