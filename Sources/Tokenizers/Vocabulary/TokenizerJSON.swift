import ModelFiles

/// tokenizer.json, with its vocabulary and merges as plain lists.
struct TokenizerJSON {
    static let bytesMax = 1 << 28

    let place: String
    /// Everything but vocabulary and merges, by its top-level key.
    private(set) var parts: [String: JSONValue] = [:]
    /// The fields of `model` but those two.
    private(set) var model: [String: JSONValue] = [:]
    private(set) var vocabulary: [(text: String, id: Int)] = []
    private(set) var merges: [(String, String)] = []

    init(_ bytes: UnsafeRawBufferPointer, file: String) throws(ModelFileError) {
        place = file
        guard bytes.count <= Self.bytesMax else {
            throw ModelFileError(
                .limit, file: file, field: "size", expected: "at most \(Self.bytesMax) bytes", got: "\(bytes.count)")
        }
        var reader = JSONReader(bytes, file: file)
        var isFirst = true
        var isModelRead = false
        try reader.beginObject()
        while let key = try reader.nextKey(&isFirst) {
            let isRepeated = key == "model" ? isModelRead : parts[key] != nil
            guard !isRepeated else { throw reader.error("each key once", got: "\(key) again", .duplicate) }
            if key == "model" {
                isModelRead = true
                try readModel(&reader)
            } else {
                parts[key] = try reader.value()
            }
        }
        try reader.end()
        guard isModelRead else {
            throw ModelFileError(.missing, file: file, field: "model", expected: "the key", got: "no such key")
        }
    }

    private mutating func readModel(_ reader: inout JSONReader) throws(ModelFileError) {
        var isFirst = true
        var seen: Set<String> = []
        try reader.beginObject()
        while let key = try reader.nextKey(&isFirst) {
            guard seen.insert(key).inserted else {
                throw reader.error("each key once", got: "model.\(key) again", .duplicate)
            }
            switch key {
            // Other kinds of model keep a list here.
            case "vocab" where reader.kind() == UInt8(ascii: "{"): try readVocabulary(&reader)
            case "merges" where reader.kind() == UInt8(ascii: "["): try readMerges(&reader)
            case "vocab", "merges": try reader.skipValue()
            default: model[key] = try reader.value()
            }
        }
    }

    private mutating func readVocabulary(_ reader: inout JSONReader) throws(ModelFileError) {
        var isFirst = true
        try reader.beginObject()
        while let text = try reader.nextKey(&isFirst) {
            guard reader.kind() != UInt8(ascii: "\""), case .integer(let id) = try reader.number() else {
                throw reader.error("a token id")
            }
            vocabulary.append((text, id))
        }
    }

    private mutating func readMerges(_ reader: inout JSONReader) throws(ModelFileError) {
        var isFirst = true
        try reader.beginArray()
        while try reader.hasElement(&isFirst) {
            if reader.kind() == UInt8(ascii: "[") {
                var isFirstPart = true
                var parts: [String] = []
                try reader.beginArray()
                while parts.count < 3, try reader.hasElement(&isFirstPart) { parts.append(try reader.string()) }
                guard parts.count == 2 else { throw reader.error("a pair of tokens", got: "\(parts.count)") }
                merges.append((parts[0], parts[1]))
            } else {
                let line = try reader.string()
                guard let pair = TokenizerSpec.pair(line) else {
                    throw reader.error("two tokens with a blank between", got: "\"\(line)\"")
                }
                merges.append(pair)
            }
        }
    }

    func error(_ code: TokenizerError.Code, _ field: String, _ message: String, hint: String? = nil) -> TokenizerError {
        TokenizerError(code, "\(place): \(field)", message, hint: hint)
    }

    /// Tokens by id, those of `added_tokens` included.
    func tokens(_ added: [AddedToken]) throws(TokenizerError) -> [String?] {
        let entries = vocabulary + added.map { ($0.text, Int($0.id)) }
        // Ids may have gaps, but not so many that a short file asks for a large table.
        let limit = min(TokenizerSpec.tokensMax, entries.count * 4 + 65536)
        var tokens: [String?] = []
        tokens.reserveCapacity(entries.count)
        for (text, id) in entries {
            guard id >= 0, id < limit else {
                throw error(
                    .malformed, "model.vocab",
                    "expected ids from 0 to \(limit - 1), got \(id) for \(TokenizerError.quoted(text))")
            }
            while tokens.count <= id { tokens.append(nil) }
            if let other = tokens[id], ExactString(other) != ExactString(text) {
                throw error(
                    .malformed, "model.vocab",
                    "token \(id) is both \(TokenizerError.quoted(other)) and \(TokenizerError.quoted(text))")
            }
            tokens[id] = text
        }
        return tokens
    }
}
