import ModelFiles
import Tensors

extension ModelFile: TensorSource {
    package func tensor(_ name: String) throws -> TensorView? { contains(name) ? try view(name) : nil }

    package func discard(_ bytes: Range<Int>, of name: String) {
        if let tensor = tensor(name) as TensorInfo? { advise(.dontNeed, bytes, of: tensor) }
    }
}
