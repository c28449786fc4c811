import Foundation
import Tensors

extension ShardManifest {
    /// A model of a thousand layers with thirty tensors each takes about 10 MB.
    package static let bytesMax = 64 << 20
    package static let shardsMax = 4096
    package static let layersMax = 4096
    package static let tensorsMax = 262_144
    package static let companionFilesMax = 64

    /// Reads and checks a manifest; nothing in it is trusted before.
    ///
    /// - Parameter place: Its path, for errors.
    package init(decoding data: Data, place: String) throws(ShardingError) {
        guard data.count <= Self.bytesMax else {
            throw ShardingError(
                .manifest, place: place, expected: "at most \(Self.bytesMax) bytes", got: "\(data.count)")
        }
        do {
            self = try JSONDecoder().decode(ShardManifest.self, from: data)
        } catch {
            throw Self.problem(error, place: place)
        }
        try ManifestCheck(place: place).check(self)
    }

    /// The manifest as JSON, keys in ascending order, for people and programs.
    package func encoded() -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Numbers, strings, arrays and objects of them cannot fail to encode.
        guard var data = try? encoder.encode(self) else { preconditionFailure("a manifest is plain values") }
        data.append(0x0A)
        return data
    }

    private static func problem(_ error: any Error, place: String) -> ShardingError {
        func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
            var path = ""
            for key in context.codingPath + (key.map { [$0] } ?? []) {
                path += key.intValue.map { "[\($0)]" } ?? (path.isEmpty ? key.stringValue : ".\(key.stringValue)")
            }
            return path.isEmpty ? "the file" : path
        }
        return switch error {
        case DecodingError.keyNotFound(let key, let context):
            ShardingError(.manifest, place: place, field: path(context, key), expected: "a value", got: "nothing")
        case DecodingError.valueNotFound(_, let context):
            ShardingError(.manifest, place: place, field: path(context), expected: "a value", got: "null")
        case DecodingError.typeMismatch(let type, let context):
            ShardingError(
                .manifest, place: place, field: path(context), expected: Self.word(for: type), got: "another type")
        case DecodingError.dataCorrupted(let context):
            ShardingError(.manifest, place: place, field: path(context), expected: "JSON", got: "something else")
        default:
            ShardingError(.manifest, place: place, field: "the file", expected: "JSON", got: "something else")
        }
    }

    private static func word(for type: any Any.Type) -> String {
        if type == Int.self { return "a whole number" }
        return type == String.self ? "text" : "another kind of value"
    }
}

/// What must hold in a manifest whatever its folder contains.
private struct ManifestCheck {
    let place: String

    private func error(_ field: String, _ expected: String, _ got: some CustomStringConvertible) -> ShardingError {
        let text = got.description.unicodeScalars.prefix(80).map { $0.escaped(asASCII: false) }.joined()
        return ShardingError(.manifest, place: place, field: field, expected: expected, got: text)
    }

    func check(_ manifest: ShardManifest) throws(ShardingError) {
        guard manifest.manifestVersion == ShardManifest.currentVersion else {
            throw error("manifest_version", "\(ShardManifest.currentVersion)", manifest.manifestVersion)
        }
        guard manifest.source.bytes >= 0 else { throw error("source.bytes", "at least 0", manifest.source.bytes) }
        guard (1...ShardManifest.layersMax).contains(manifest.totalLayers) else {
            throw error("total_layers", "1 to \(ShardManifest.layersMax)", manifest.totalLayers)
        }
        guard (1...ShardManifest.shardsMax).contains(manifest.shards.count) else {
            throw error("shards", "1 to \(ShardManifest.shardsMax)", manifest.shards.count)
        }
        guard manifest.numShards == manifest.shards.count else {
            throw error("num_shards", "\(manifest.shards.count), as shards lists", manifest.numShards)
        }
        if let sha256 = manifest.source.sha256 { try checkHash(sha256, "source.sha256") }
        var names: Set<String> = [ShardManifest.fileName]
        var nextLayer = 0
        for (index, shard) in manifest.shards.enumerated() {
            try checkName(shard.filename, "shards[\(index)].filename", &names)
            try check(shard, index, of: manifest, &nextLayer)
        }
        guard nextLayer == manifest.totalLayers else {
            throw error("shards", "all of \(manifest.totalLayers) layers", nextLayer)
        }
        let files = manifest.files ?? []
        guard files.count <= ShardManifest.companionFilesMax else {
            throw error("files", "at most \(ShardManifest.companionFilesMax)", files.count)
        }
        for (index, file) in files.enumerated() {
            try checkName(file.filename, "files[\(index)].filename", &names)
            try checkHash(file.sha256, "files[\(index)].sha256")
            guard file.fileSizeBytes >= 0 else {
                throw error("files[\(index)].file_size_bytes", "at least 0", file.fileSizeBytes)
            }
        }
    }

    private func check(
        _ shard: ShardManifest.Shard, _ index: Int, of manifest: ShardManifest, _ nextLayer: inout Int
    ) throws(ShardingError) {
        let field = "shards[\(index)]"
        guard shard.shardID == index else { throw error("\(field).shard_id", "\(index)", shard.shardID) }
        guard shard.fileSizeBytes > 0 else {
            throw error("\(field).file_size_bytes", "at least 1", shard.fileSizeBytes)
        }
        try checkHash(shard.sha256, "\(field).sha256")
        guard shard.numLayers == shard.layers.count else {
            throw error("\(field).num_layers", "\(shard.layers.count), as layers lists", shard.numLayers)
        }
        var expectedNames: [String] = index == 0 ? ["embedding"] : []
        for (position, layer) in shard.layers.enumerated() {
            guard layer.index == nextLayer else {
                throw error("\(field).layers[\(position)].index", "\(nextLayer)", layer.index)
            }
            guard layer.weightBytes >= 0, layer.stateBytesPerToken >= 0, layer.stateBytesFixed >= 0 else {
                throw error("\(field).layers[\(position)]", "bytes of at least 0", "less")
            }
            expectedNames.append("blk.\(nextLayer)")
            nextLayer += 1
        }
        if index == manifest.shards.count - 1 { expectedNames.append("head") }
        guard shard.layerNames == expectedNames else {
            throw error(
                "\(field).layer_names", expectedNames.joined(separator: " "), shard.layerNames.joined(separator: " "))
        }
        try checkTensors(shard, field)
    }

    private func checkTensors(_ shard: ShardManifest.Shard, _ field: String) throws(ShardingError) {
        guard shard.tensors.count <= ShardManifest.tensorsMax else {
            throw error("\(field).tensors", "at most \(ShardManifest.tensorsMax)", shard.tensors.count)
        }
        var names: Set<String> = []
        for (index, tensor) in shard.tensors.enumerated() {
            let field = "\(field).tensors[\(index)]"
            guard !tensor.name.isEmpty, names.insert(tensor.name).inserted else {
                throw error("\(field).name", "a name of its own", tensor.name)
            }
            guard let type = ElementType.allCases.first(where: { $0.name == tensor.type }) else {
                throw error("\(field).type", "a known element type", tensor.type)
            }
            var elements: Int? = tensor.shape.count <= 8 ? 1 : nil
            for size in tensor.shape {
                let product = elements?.multipliedReportingOverflow(by: size)
                elements = size >= 0 && product?.overflow == false ? product?.partialValue : nil
            }
            guard let elements, type.byteCount(elementCount: elements) == tensor.bytes else {
                throw error("\(field).bytes", "the bytes of shape \(tensor.shape) in \(tensor.type)", tensor.bytes)
            }
            guard tensor.offset >= 0, tensor.bytes <= shard.fileSizeBytes,
                tensor.offset <= shard.fileSizeBytes - tensor.bytes
            else {
                throw error("\(field).offset", "a place inside the file's \(shard.fileSizeBytes) bytes", tensor.offset)
            }
            try checkHash(tensor.sha256, "\(field).sha256")
        }
    }

    /// A name that stays in its folder.
    private func checkName(_ name: String, _ field: String, _ names: inout Set<String>) throws(ShardingError) {
        let isBare = name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.generalCategory != .control && scalar != "/" && scalar != "\\"
        }
        guard isBare, (1...255).contains(name.utf8.count), !name.hasPrefix(".") else {
            throw error(field, "a bare file name", name)
        }
        guard names.insert(name).inserted else { throw error(field, "a name of its own", name) }
    }

    private func checkHash(_ text: String, _ field: String) throws(ShardingError) {
        guard FileHash(text) != nil else { throw error(field, "64 hexadecimal digits in lower case", text) }
    }
}
