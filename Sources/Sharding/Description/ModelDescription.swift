import ModelFiles
import Tensors

/// What has to be known of a model to load some of its layers without having its files: its metadata, and for each
/// tensor its form and the hash by which its bytes can be asked for.
///
/// Encoded, it is one run of bytes that has a hash itself; the same model always gives the same bytes.
package struct ModelDescription: Sendable, Hashable {
    package struct Tensor: Sendable, Hashable {
        package var name: String
        package var type: ElementType
        /// Outermost dimension first.
        package var shape: [Int]
        package var sha256: FileHash
        /// The tensor itself, where it is small.
        package var content: [UInt8]?

        package init(name: String, type: ElementType, shape: [Int], sha256: FileHash, content: [UInt8]? = nil) {
            self.name = name
            self.type = type
            self.shape = shape
            self.sha256 = sha256
            self.content = content
        }

        /// 0 for a shape that no tensor has; decoded ones were checked.
        package var byteCount: Int { TensorInfo.measure(shape, type)?.bytes ?? 0 }
    }

    package static let version = 1
    package static let tensorsMax = 262_144
    package static let tensorNameBytesMax = 1024
    package static let dimensionsMax = 8
    /// A tensor of up to this many bytes is part of the description: factors of rotary frequencies are needed before
    /// anything else can be asked for.
    package static let contentBytesMax = 4096
    /// Further ones are left out.
    package static let contentBytesInAllMax = 8 << 20

    package var format: ModelFile.Format
    /// Of the model's file or folder, bare.
    package var name: String
    /// A GGUF file of metadata alone; empty for safetensors.
    package var metadata: [UInt8]
    /// `config.json` as it is; nil where there is none.
    package var config: [UInt8]?
    /// `generation_config.json` as it is; nil where there is none.
    package var generationConfig: [UInt8]?
    package var tensors: [Tensor]

    package init(
        format: ModelFile.Format, name: String, metadata: [UInt8] = [], config: [UInt8]? = nil,
        generationConfig: [UInt8]? = nil, tensors: [Tensor]
    ) {
        self.format = format
        self.name = name
        self.metadata = metadata
        self.config = config
        self.generationConfig = generationConfig
        self.tensors = tensors
    }
}
