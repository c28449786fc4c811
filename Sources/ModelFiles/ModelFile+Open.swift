#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension ModelFile {
    /// A model of a thousand layers with thirty tensors each has a manifest of about 10 MB.
    private static let manifestBytesMax = 64 << 20

    /// Opens whatever holds a model: a GGUF file or any part of a split one, a safetensors file, a Hugging Face folder,
    /// or a folder of shards.
    package static func open(_ path: String) throws(ModelFileError) -> ModelFile {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            return try open(folder: HuggingFaceFolder(path: path))
        }
        if path.lastPathComponent == WeightMap.name {
            return try open(folder: HuggingFaceFolder(path: path.parentPath))
        }
        let file = try MappedFile(path: path)
        if case .gguf = try kind(of: file), let split = SplitName(path: path), split.partCount > 1 {
            return try openSplit(split)
        }
        return try open(mapped: [file], path: path)
    }

    /// Opens several files as one index, in the order given: shards, which may carry the same tensor more than once.
    package static func open(files paths: [String]) throws(ModelFileError) -> ModelFile {
        var files: [MappedFile] = []
        for path in paths { files.append(try MappedFile(path: path)) }
        return try open(mapped: files, path: paths.count == 1 ? paths[0] : paths.first?.parentPath ?? "no files")
    }

    /// Opens a file whose bytes are in memory, of which it keeps a copy.
    package static func open(bytes: [UInt8], name: String) throws(ModelFileError) -> ModelFile {
        try open(mapped: [MappedFile(bytes: bytes, name: name)], path: name)
    }

    private static func open(mapped files: [MappedFile], path: String) throws(ModelFileError) -> ModelFile {
        guard let first = files.first else {
            throw ModelFileError(.missing, file: path, field: "files", expected: "at least one file", got: "none")
        }
        let format = try kind(of: first)
        var tensors = TensorCollection()
        var metadata: GGUFMetadata?
        var safetensorsMetadata: [String: String]?
        for (index, file) in files.enumerated() {
            guard try kind(of: file) == format else {
                throw ModelFileError(
                    .mismatch, file: file.name, field: "format", expected: "\(format) like \(first.name)",
                    got: "another")
            }
            switch format {
            case .gguf:
                let part = try GGUFIndex(file, fileIndex: index)
                metadata = metadata ?? part.metadata
                try tensors.add(part.tensors, of: file, isRepeatAllowed: part.metadata["shard.count"] != nil)
            case .safetensors:
                let part = try SafetensorsIndex(file, fileIndex: index)
                safetensorsMetadata = safetensorsMetadata ?? part.metadata
                try tensors.add(part.tensors, of: file, isRepeatAllowed: true)
            }
        }
        return try ModelFile(
            path: path, format: format, files: files, tensors: tensors.list, metadata: metadata,
            safetensorsMetadata: safetensorsMetadata ?? [:],
            folder: format == .safetensors ? try folder(around: first) : nil)
    }

    /// The folder of a mapped safetensors file, when it has a configuration.
    private static func folder(around file: MappedFile) throws(ModelFileError) -> HuggingFaceFolder? {
        guard file.identity != nil else { return nil }
        let folder = try HuggingFaceFolder(path: file.path.parentPath)
        return folder.contains("config.json") ? folder : nil
    }

    /// What a file is, by its first bytes.
    private static func kind(of file: MappedFile) throws(ModelFileError) -> Format {
        let start = Array(file.bytes.prefix(9))
        if start.starts(with: "GGUF".utf8) || start.starts(with: "FUGG".utf8) { return .gguf }
        if file.name.hasSuffix(".safetensors") || (start.count == 9 && start[8] == UInt8(ascii: "{")) {
            return .safetensors
        }
        let isPickle =
            start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x80, 0x02])
            || [".bin", ".pt", ".pth", ".ckpt", ".pkl"].contains { file.name.hasSuffix($0) }
        throw ModelFileError(
            .unsupported, file: file.name, field: "format", offset: 0, expected: "GGUF or safetensors",
            got: isPickle ? "a Python pickle" : "other bytes",
            hint: isPickle
                ? "convert to safetensors: loading a pickle runs whatever code is in it"
                : "give a .gguf file, a .safetensors file, or a folder with config.json")
    }

    private static func openSplit(_ split: SplitName) throws(ModelFileError) -> ModelFile {
        var tensors = TensorCollection()
        var files: [MappedFile] = []
        var metadata: GGUFMetadata?
        for index in 0..<split.partCount {
            let file = try MappedFile(path: split.path(ofPart: index))
            let part = try GGUFIndex(file, fileIndex: index)
            for (key, expected) in [("split.no", index), ("split.count", split.partCount)] {
                guard let number = try part.metadata.integer(key, in: 0...SplitName.partsMax) else {
                    throw part.metadata.missing(
                        key, hint: "its name says that it is part \(index + 1) of \(split.partCount)")
                }
                guard number == expected else {
                    throw ModelFileError(
                        .mismatch, file: file.name, field: key, expected: "\(expected), as its name says",
                        got: "\(number)")
                }
            }
            try tensors.add(part.tensors, of: file, isRepeatAllowed: false)
            metadata = metadata ?? part.metadata
            files.append(file)
        }
        if let total = try metadata?.integer("split.tensors.count", in: 0...Int(UInt32.max)),
            total != tensors.list.count
        {
            throw ModelFileError(
                .mismatch, file: files[0].name, field: "split.tensors.count", expected: "\(total) tensors in all parts",
                got: "\(tensors.list.count)")
        }
        return try ModelFile(
            path: split.path(ofPart: 0), format: .gguf, files: files, tensors: tensors.list, metadata: metadata)
    }

    /// Opens a folder of a Hugging Face model or of shards.
    package static func open(folder: HuggingFaceFolder) throws(ModelFileError) -> ModelFile {
        let path = folder.path
        if let manifest = try folder.file("manifest.json") { return try openShards(manifest, in: folder) }
        guard folder.contains("config.json") else {
            throw ModelFileError(
                .missing, file: path.lastPathComponent, field: "config.json",
                expected: "a folder with config.json (Hugging Face) or manifest.json (shards)", got: "neither",
                hint: "name the .gguf file itself if the folder holds one")
        }
        if let file = try folder.file("model.safetensors") {
            let index = try SafetensorsIndex(file, fileIndex: 0)
            return try ModelFile(
                path: path, format: .safetensors, files: [file], tensors: index.tensors,
                safetensorsMetadata: index.metadata, folder: folder)
        }
        guard let index = try folder.file(WeightMap.name) else {
            let hasPickle = ["pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "consolidated.00.pth"]
                .contains { folder.contains($0) }
            throw ModelFileError(
                .missing, file: path.lastPathComponent, field: "weights",
                expected: "model.safetensors or \(WeightMap.name)", got: hasPickle ? "Python pickles" : "neither",
                hint: hasPickle ? "convert to safetensors: loading a pickle runs whatever code is in it" : nil)
        }
        return try openIndexed(try WeightMap(index), in: folder)
    }

    private static func openIndexed(_ map: WeightMap, in folder: HuggingFaceFolder) throws(ModelFileError) -> ModelFile
    {
        var tensors = TensorCollection()
        var files: [MappedFile] = []
        var metadata: [String: String] = [:]
        for (index, name) in map.files.enumerated() {
            let file = try weights(name, in: folder, listedBy: WeightMap.name)
            let part = try SafetensorsIndex(file, fileIndex: index)
            // What the index does not name is not part of the model.
            try tensors.add(part.tensors.filter { map.fileIndex[$0.name] == index }, of: file, isRepeatAllowed: false)
            if index == 0 { metadata = part.metadata }
            files.append(file)
        }
        if tensors.list.count != map.fileIndex.count {
            let lost = map.fileIndex.keys.filter { !tensors.contains($0) }.min() ?? ""
            throw ModelFileError(
                .missing, file: WeightMap.name, field: lost,
                expected: "the tensor in \(map.files[map.fileIndex[lost] ?? 0])",
                got: "no tensor of that name")
        }
        return try ModelFile(
            path: folder.path, format: .safetensors, files: files, tensors: tensors.list, safetensorsMetadata: metadata,
            folder: folder)
    }

    private static func openShards(_ manifest: MappedFile, in folder: HuggingFaceFolder) throws(ModelFileError)
        -> ModelFile
    {
        guard manifest.byteCount <= manifestBytesMax else {
            throw ModelFileError(
                .limit, file: manifest.name, field: "size", expected: "at most \(manifestBytesMax) bytes",
                got: "\(manifest.byteCount)")
        }
        let shards = try JSONValue(parsing: manifest)["shards"]?.arrayValue ?? []
        guard (1...SplitName.partsMax).contains(shards.count) else {
            throw ModelFileError(
                .malformed, file: manifest.name, field: "shards", expected: "1 to \(SplitName.partsMax) shards",
                got: "\(shards.count)")
        }
        var files: [MappedFile] = []
        for (index, shard) in shards.enumerated() {
            guard let name = shard["filename"]?.stringValue else {
                throw ModelFileError(
                    .missing, file: manifest.name, field: "shards[\(index)].filename", expected: "a file name",
                    got: "none")
            }
            files.append(try weights(name, in: folder, listedBy: manifest.name))
        }
        return try open(mapped: files, path: folder.path)
    }

    private static func weights(_ name: String, in folder: HuggingFaceFolder, listedBy list: String)
        throws(ModelFileError) -> MappedFile
    {
        guard let file = try folder.file(name) else {
            throw ModelFileError(
                .missing, file: folder.path.lastPathComponent, field: name, expected: "the file that \(list) names",
                got: "no such file", hint: "was the download finished?")
        }
        return file
    }
}

/// Tensors gathered from several files, each name once.
private struct TensorCollection {
    private(set) var list: [TensorInfo] = []
    private var places: [String: Int] = [:]

    func contains(_ name: String) -> Bool { places[name] != nil }

    /// - Parameter isRepeatAllowed: whether a tensor of the same type and shape may come again; the first one counts.
    mutating func add(_ tensors: [TensorInfo], of file: MappedFile, isRepeatAllowed: Bool) throws(ModelFileError) {
        for tensor in tensors {
            guard let place = places[tensor.name] else {
                places[tensor.name] = list.count
                list.append(tensor)
                continue
            }
            let other = list[place]
            guard isRepeatAllowed, other.type == tensor.type, other.shape == tensor.shape else {
                throw ModelFileError(
                    .duplicate, file: file.name, field: tensor.name, expected: "each tensor in one file",
                    got: "it again",
                    hint: isRepeatAllowed ? "the shards are not of one model" : nil)
            }
        }
    }
}
