import ModelFiles

/// The steps that tokenizer.json describes, made of its objects with a `type`.
struct TokenizerJSONParts {
    let file: TokenizerJSON
    /// Steps of one list at most.
    private static let stepsMax = 64

    func checkModel() throws(TokenizerError) {
        let type = file.model["type"]?.stringValue ?? "BPE"
        guard type == "BPE" else {
            throw file.error(
                .unsupported, "model.type", "\(TokenizerError.quoted(type)) is not supported", hint: "known is BPE")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            guard file.model[key]?.stringValue ?? "" == "" else {
                throw file.error(.unsupported, "model.\(key)", "is not supported")
            }
        }
    }

    func flag(_ key: String) throws(TokenizerError) -> Bool { try flag(key, file.model[key], "model", standard: false) }

    private func flag(
        _ key: String, _ value: JSONValue?, _ field: String, standard: Bool
    ) throws(TokenizerError) -> Bool {
        guard let value, !value.isNull else { return standard }
        guard let flag = value.boolValue else {
            throw file.error(.malformed, "\(field).\(key)", "expected true or false, got \(value.summary)")
        }
        return flag
    }

    func addedTokens() throws(TokenizerError) -> [AddedToken] {
        var tokens: [AddedToken] = []
        for (place, entry) in (file.parts["added_tokens"]?.arrayValue ?? []).enumerated() {
            let field = "added_tokens[\(place)]"
            guard let id = entry["id"]?.integerValue, id >= 0, id < TokenizerSpec.tokensMax,
                let text = entry["content"]?.stringValue, !text.isEmpty
            else { throw file.error(.malformed, field, "expected an id and a text in content") }
            tokens.append(
                AddedToken(
                    id: Int32(id), text: text,
                    isSpecial: try flag("special", entry["special"], field, standard: false),
                    isNormalized: try flag("normalized", entry["normalized"], field, standard: false),
                    stripsLeft: try flag("lstrip", entry["lstrip"], field, standard: false),
                    stripsRight: try flag("rstrip", entry["rstrip"], field, standard: false),
                    isSingleWord: try flag("single_word", entry["single_word"], field, standard: false)))
        }
        return tokens
    }

    // MARK: Steps

    /// The steps below a top-level key: one, or those of a `Sequence`, or none.
    private func steps(_ key: String, listedAs list: String) throws(TokenizerError) -> [(
        type: String, value: JSONValue
    )] {
        guard let value = file.parts[key], !value.isNull else { return [] }
        var steps: [(type: String, value: JSONValue)] = []
        var open = [value]
        while let value = open.popLast() {
            guard let type = value["type"]?.stringValue else {
                throw file.error(.malformed, key, "a step without its type")
            }
            if type == "Sequence" {
                open.append(contentsOf: (value[list]?.arrayValue ?? []).reversed())
            } else {
                steps.append((type, value))
            }
            guard steps.count + open.count <= Self.stepsMax else {
                throw file.error(.limit, key, "more than \(Self.stepsMax) steps")
            }
        }
        return steps
    }

    private func unsupported(_ key: String, _ type: String, known: String) -> TokenizerError {
        file.error(.unsupported, key, "\(TokenizerError.quoted(type)) is not supported", hint: "known are \(known)")
    }

    private func text(_ key: String, _ value: JSONValue, _ field: String) throws(TokenizerError) -> [UInt8] {
        guard let text = value[key]?.stringValue else {
            throw file.error(.malformed, field, "expected a string in \(key)")
        }
        return Array(text.utf8)
    }

    /// `{"String": …}` or `{"Regex": …}`.
    private func separator(_ value: JSONValue, _ field: String) throws(TokenizerError) -> PreTokenizer.Separator {
        if let text = value["pattern"]?["String"]?.stringValue { return .text(Array(text.utf8)) }
        guard let pattern = value["pattern"]?["Regex"]?.stringValue else {
            throw file.error(.malformed, field, "expected a pattern with String or Regex")
        }
        return .pattern(try Pattern(pattern, place: "\(file.place): \(field)"))
    }

    func normalizers() throws(TokenizerError) -> [Normalizer] {
        var result: [Normalizer] = []
        for (type, value) in try steps("normalizer", listedAs: "normalizers") {
            switch type {
            case "NFC", "NFD", "NFKC", "NFKD": result.append(.unicode(Normalizer.Form(rawValue: type) ?? .nfc))
            case "Lowercase": result.append(.lowercase)
            case "Prepend": result.append(.prepend(try text("prepend", value, "normalizer")))
            case "Strip":
                result.append(
                    .strip(
                        left: try flag("strip_left", value["strip_left"], "normalizer", standard: true),
                        right: try flag("strip_right", value["strip_right"], "normalizer", standard: true)))
            case "Replace":
                let new = try text("content", value, "normalizer")
                switch try separator(value, "normalizer") {
                case .text(let old): result.append(.replaceText(old, with: new))
                case .pattern(let pattern): result.append(.replacePattern(pattern, with: new))
                }
            default:
                throw unsupported(
                    "normalizer", type, known: "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Strip, Replace")
            }
        }
        return result
    }

    func preTokenizers() throws(TokenizerError) -> [PreTokenizer] {
        var result: [PreTokenizer] = []
        let field = "pre_tokenizer"
        func split(_ pattern: String, _ behaviour: PreTokenizer.Behaviour, isInverted: Bool = false)
            throws(TokenizerError)
        {
            let pattern = try Pattern(pattern, place: "\(file.place): \(field)")
            result.append(.split(.pattern(pattern), behaviour, isInverted: isInverted))
        }
        for (type, value) in try steps(field, listedAs: "pretokenizers") {
            switch type {
            case "ByteLevel":
                // The blank goes before the text is cut; none is put before a blank.
                let addsSpace = try flag("add_prefix_space", value["add_prefix_space"], field, standard: true)
                if addsSpace {
                    result.append(.metaspace(replacement: Array(" ".utf8), prefix: .always, splits: false))
                }
                if try flag("use_regex", value["use_regex"], field, standard: true) {
                    try split(NamedPreTokenizer.gpt2Pattern, .isolated)
                }
                result.append(.byteLevel)
            case "Split":
                result.append(
                    .split(
                        try separator(value, field), try behaviour(value, standard: nil),
                        isInverted: try flag("invert", value["invert"], field, standard: false)))
            case "Metaspace": result.append(try metaspace(value))
            case "Digits":
                let isEach = try flag("individual_digits", value["individual_digits"], field, standard: false)
                try split(#"\p{N}"#, isEach ? .isolated : .contiguous)
            case "Punctuation": try split(#"[\p{P}!-/:-@\[-`{-~]"#, behaviour(value, standard: .isolated))
            case "Whitespace": try split(#"\w+|[^\w\s]+"#, .removed, isInverted: true)
            case "WhitespaceSplit": try split(#"\s"#, .removed)
            default:
                throw unsupported(
                    field, type,
                    known: "Sequence, ByteLevel, Split, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit")
            }
        }
        return result
    }

    private func behaviour(
        _ value: JSONValue, standard: PreTokenizer.Behaviour?
    ) throws(TokenizerError) -> PreTokenizer.Behaviour {
        let name = value["behavior"]?.stringValue
        guard let behaviour = name.flatMap(PreTokenizer.Behaviour.init) ?? (name == nil ? standard : nil) else {
            let known = PreTokenizer.Behaviour.allCases.map(\.rawValue).joined(separator: ", ")
            throw unsupported("pre_tokenizer.behavior", name ?? "", known: known)
        }
        return behaviour
    }

    private func metaspace(_ value: JSONValue) throws(TokenizerError) -> PreTokenizer {
        let field = "pre_tokenizer"
        let (replacement, prefix) = try blanks(value, field)
        return .metaspace(
            replacement: replacement, prefix: prefix, splits: try flag("split", value["split"], field, standard: true))
    }

    /// The stand-in for blanks, and when one is put first.
    private func blanks(_ value: JSONValue, _ field: String) throws(TokenizerError) -> ([UInt8], PreTokenizer.Prefix) {
        let replacement = value["replacement"] == nil ? Array("▁".utf8) : try text("replacement", value, field)
        guard !replacement.isEmpty else {
            throw file.error(.malformed, field, "expected a replacement that is not empty")
        }
        guard let name = value["prepend_scheme"]?.stringValue else {
            let isAdded = try flag("add_prefix_space", value["add_prefix_space"], field, standard: true)
            return (replacement, isAdded ? .always : .never)
        }
        guard let prefix = PreTokenizer.Prefix(rawValue: name) else {
            let known = PreTokenizer.Prefix.allCases.map(\.rawValue).joined(separator: ", ")
            throw unsupported("\(field).prepend_scheme", name, known: known)
        }
        return (replacement, prefix)
    }

    // MARK: After encoding

    /// What is put before and after a single text.
    func surroundings() throws(TokenizerError) -> (prefix: [Int32], suffix: [Int32]) {
        var prefix: [Int32] = []
        var suffix: [Int32] = []
        let field = "post_processor"
        for (type, value) in try steps(field, listedAs: "processors") {
            switch type {
            case "ByteLevel": continue
            case "TemplateProcessing":
                let (before, after) = try template(value)
                prefix = before + prefix
                suffix += after
            case "BertProcessing", "RobertaProcessing":
                prefix = [try tokenID(value["cls"]?.arrayValue?.last, field)] + prefix
                suffix.append(try tokenID(value["sep"]?.arrayValue?.last, field))
            default:
                throw unsupported(
                    field, type, known: "Sequence, ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing")
            }
        }
        return (prefix, suffix)
    }

    private func tokenID(_ value: JSONValue?, _ field: String) throws(TokenizerError) -> Int32 {
        guard let id = value?.integerValue, id >= 0, id < TokenizerSpec.tokensMax else {
            throw file.error(.malformed, field, "expected a token id, got \(value?.summary ?? "nothing")")
        }
        return Int32(id)
    }

    private func template(_ value: JSONValue) throws(TokenizerError) -> (prefix: [Int32], suffix: [Int32]) {
        let field = "post_processor.single"
        var prefix: [Int32] = []
        var suffix: [Int32] = []
        var isAfterText = false
        for item in value["single"]?.arrayValue ?? [] {
            if item["Sequence"] != nil {
                isAfterText = true
                continue
            }
            guard let name = item["SpecialToken"]?["id"]?.stringValue,
                let ids = value["special_tokens"]?[name]?["ids"]?.arrayValue, ids.count <= Self.stepsMax
            else {
                throw file.error(.malformed, field, "expected Sequence, or a SpecialToken listed in special_tokens")
            }
            for id in ids {
                if isAfterText { suffix.append(try tokenID(id, field)) } else { prefix.append(try tokenID(id, field)) }
            }
        }
        return (prefix, suffix)
    }

    // MARK: Decoding

    func decoder() throws(TokenizerError) -> Decoder {
        let steps = try steps("decoder", listedAs: "decoders")
        if steps.isEmpty { return .pieces(Decoder.PieceDecoding(separator: Array(" ".utf8))) }
        if steps.count == 1, steps[0].type == "ByteLevel" { return .byteLevel }
        var decoding = Decoder.PieceDecoding()
        let field = "decoder"
        var isFused = false
        for (type, value) in steps {
            switch type {
            case "Replace":
                guard case .text(let old) = try separator(value, field), !isFused else {
                    throw file.error(.unsupported, field, "Replace after Fuse or with a Regex is not supported")
                }
                decoding.replacements.append((old, try text("content", value, field)))
            case "ByteFallback": decoding.joinsBytes = true
            case "Fuse": isFused = true
            case "Strip":
                let content = try text("content", value, field)
                guard isFused, content.count == 1, value["stop"]?.integerValue ?? 0 == 0,
                    let start = value["start"]?.integerValue, start >= 0
                else {
                    throw file.error(
                        .unsupported, field, "Strip is supported after Fuse, of one ASCII character, at the start")
                }
                decoding.leading = content[0]
                decoding.leadingCount = start
            case "Metaspace":
                let (replacement, prefix) = try blanks(value, field)
                decoding.replacements.append((replacement, Array(" ".utf8)))
                if prefix != .never { decoding.droppedFromFirst = replacement }
            default:
                throw unsupported(
                    field, type, known: "Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace")
            }
        }
        return .pieces(decoding)
    }
}
