/// The parts that a model is dealt out in, as manifests name them: `embedding`, `blk.0` …, `head`.
package enum ModelUnit: Hashable, Sendable, CustomStringConvertible {
    /// The token embedding; the coordinator reads it, no worker does.
    case embedding
    case layer(Int)
    /// The output norm and the matrix that makes logits.
    case head

    package init?(_ name: String) {
        switch name {
        case "embedding": self = .embedding
        case "head": self = .head
        default:
            guard name.hasPrefix("blk."), let index = Int(name.dropFirst(4)), index >= 0,
                name == "blk.\(index)"
            else { return nil }
            self = .layer(index)
        }
    }

    package var description: String {
        switch self {
        case .embedding: "embedding"
        case .layer(let index): "blk.\(index)"
        case .head: "head"
        }
    }
}
