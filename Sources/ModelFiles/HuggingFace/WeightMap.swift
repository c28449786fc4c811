/// `model.safetensors.index.json`: which file holds which tensor.
package struct WeightMap {
    package static let name = "model.safetensors.index.json"
    static let bytesMax = 100_000_000
    static let filesMax = 4096

    /// Bare file names, sorted.
    private(set) var files: [String] = []
    /// Place in `files`, by tensor.
    private(set) var fileIndex: [String: Int] = [:]

    init(_ file: MappedFile) throws(ModelFileError) {
        guard file.byteCount <= Self.bytesMax else {
            throw ModelFileError(
                .limit, file: Self.name, field: "size", expected: "at most \(Self.bytesMax) bytes",
                got: "\(file.byteCount)")
        }
        var reader = JSONReader(file.bytes, file: Self.name)
        var fileNames: [String: String] = [:]
        var isFirst = true
        var isFound = false
        try reader.beginObject()
        while let key = try reader.nextKey(&isFirst) {
            guard key == "weight_map" else {
                try reader.skipValue()
                continue
            }
            guard !isFound else { throw reader.error("weight_map once", got: "it again", .duplicate) }
            isFound = true
            fileNames = try Self.entries(&reader)
        }
        try reader.end()
        guard isFound else {
            throw ModelFileError(
                .missing, file: Self.name, field: "weight_map", expected: "the key", got: "no such key")
        }
        files = Set(fileNames.values).sorted()
        guard files.count <= Self.filesMax else {
            throw ModelFileError(
                .limit, file: Self.name, field: "weight_map", expected: "at most \(Self.filesMax) files",
                got: "\(files.count)")
        }
        let places = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1, $0) })
        fileIndex = fileNames.compactMapValues { places[$0] }
    }

    private static func entries(_ reader: inout JSONReader) throws(ModelFileError) -> [String: String] {
        var entries: [String: String] = [:]
        var isFirst = true
        try reader.beginObject()
        while let tensor = try reader.nextKey(&isFirst) {
            let file = try reader.string()
            guard file.hasSuffix(".safetensors"), !file.utf8.contains(UInt8(ascii: "/")), !file.utf8.contains(0) else {
                throw ModelFileError(
                    .malformed, file: name, field: tensor,
                    expected: "the name of a .safetensors file in the same folder",
                    got: "\"\(file)\"")
            }
            guard entries.updateValue(file, forKey: tensor) == nil else {
                throw ModelFileError(
                    .duplicate, file: name, field: tensor, expected: "each tensor once", got: "it again")
            }
        }
        return entries
    }
}
