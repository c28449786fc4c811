import Tensors

extension ModelFile {
    /// A tensor that is not part of a model's file: its form, and its bytes where they are here.
    package struct Piece: Sendable {
        package var name: String
        package var type: ElementType
        /// Outermost dimension first.
        package var shape: [Int]
        /// Holds the tensor; nil when its bytes are not here.
        package var file: MappedFile?
        /// Where in that file it begins; nil where it is all of it.
        package var offset: Int?

        package init(name: String, type: ElementType, shape: [Int], file: MappedFile?, offset: Int? = nil) {
            self.name = name
            self.type = type
            self.shape = shape
            self.file = file
            self.offset = offset
        }
    }

    /// Puts a model together from tensors that lie apart, in files of their own: those of a cache, for instance.
    ///
    /// All pieces are listed as tensors; asking for the bytes of one that is not here is an error.
    /// - Parameters:
    ///   - name: What errors call the model.
    ///   - metadata: A GGUF file without tensors; nil for safetensors.
    ///   - folder: Holds the configuration of a safetensors model.
    package static func assemble(
        name: String, format: Format, metadata: MappedFile? = nil, folder: HuggingFaceFolder? = nil, pieces: [Piece]
    ) throws(ModelFileError) -> ModelFile {
        // The first file stands for all bytes that are elsewhere.
        var files = [MappedFile(bytes: [], name: name)]
        var tensors: [TensorInfo] = []
        var names: Set<String> = []
        var places: [ObjectIdentifier: Int] = [:]
        for piece in pieces {
            func error(_ code: ModelFileError.Code, _ expected: String, _ got: String) -> ModelFileError {
                ModelFileError(code, file: name, field: piece.name, expected: expected, got: got)
            }
            guard names.insert(piece.name).inserted else { throw error(.duplicate, "each tensor once", "it again") }
            guard let (_, byteCount) = TensorInfo.measure(piece.shape, piece.type) else {
                throw error(.malformed, "rows of whole blocks", "shape \(piece.shape) of \(piece.type.name)")
            }
            var fileIndex = 0
            if let file = piece.file {
                let rest = file.byteCount - (piece.offset ?? 0)
                guard piece.offset == nil ? rest == byteCount : (0...file.byteCount).contains(rest) && rest >= byteCount
                else { throw error(.mismatch, "\(byteCount) bytes", "\(rest) in \(file.name)") }
                let key = ObjectIdentifier(file)
                fileIndex = places[key] ?? files.count
                if places.updateValue(fileIndex, forKey: key) == nil { files.append(file) }
            }
            tensors.append(
                TensorInfo(
                    name: piece.name, type: piece.type, shape: piece.shape, fileIndex: fileIndex,
                    offset: piece.offset ?? 0, byteCount: byteCount))
        }
        return try ModelFile(
            path: name, format: format, files: files, tensors: tensors,
            metadata: try metadata.map { file throws(ModelFileError) in try GGUFIndex(file, fileIndex: 0).metadata },
            folder: folder)
    }
}
