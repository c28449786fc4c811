extension TemplateRun {
    /// Filters of one value; those of sequences are in `TemplateRun+SequenceFilters.swift`.
    func filter(_ name: String, _ value: JinjaValue, _ arguments: TemplateValues) throws(TokenizerError) -> JinjaValue {
        try charge()
        switch name {
        case "default", "d":
            let isMissing = value.isUndefined || (arguments.value(1, "boolean")?.isTrue ?? false) && !value.isTrue
            return isMissing ? arguments.value(0, "default_value") ?? .string("") : value
        case "tojson": return .string(try tojson(value, arguments))
        case "length", "count": return .integer(try length(value))
        case "string", "safe": return .string(try text(of: value))
        case "abs", "int", "float", "round": return try numberFilter(name, value, arguments)
        case "attr": return try attribute(requiredText(arguments.value(0, "name"), "attr"), of: value)
        case "items":
            if value.isUndefined { return .list([]) }
            guard case .map(let map) = value else { throw error("`items` takes a mapping, got \(value.typeName)") }
            try charge(map.count)
            return .list(zip(map.keys, map.values).map { .tuple([$0, $1]) })
        case "dictsort": return try dictsort(value, arguments)
        default:
            if Self.textFilters.contains(name) { return try textFilter(name, text(of: value), arguments) }
            if Self.sequenceFilters.contains(name) { return try sequenceFilter(name, value, arguments) }
            throw unsupported("the filter \(TokenizerError.quoted(name)) is not supported")
        }
    }

    private func length(_ value: JinjaValue) throws(TokenizerError) -> Int {
        switch value {
        case .undefined: return 0
        case .string(let text):
            try charge(bytes: text.utf8.count)
            return text.unicodeScalars.count
        case .list(let list): return list.items.count
        case .map(let map): return map.count
        default: throw error("\(value.typeName) has no length")
        }
    }

    private func tojson(_ value: JinjaValue, _ arguments: TemplateValues) throws(TokenizerError) -> String {
        let ascii = arguments.value(0, "ensure_ascii")?.isTrue ?? false
        var indent: String?
        switch arguments.value(1, "indent") {
        case .integer(let width)?:
            guard width <= 100 else { throw error("an indent wider than 100") }
            indent = String(repeating: " ", count: max(width, 0))
        case .string(let text)?: indent = text
        default: break
        }
        var style = JSONStyle(indent: indent, itemSeparator: indent == nil ? ", " : ",", keySeparator: ": ")
        if case .list(let separators)? = arguments.value(2, "separators"), separators.items.count == 2 {
            style.itemSeparator = try requiredText(separators.items[0], "tojson")
            style.keySeparator = try requiredText(separators.items[1], "tojson")
        }
        style.isSorted = arguments.value(3, "sort_keys")?.isTrue ?? false
        style.isASCII = ascii
        return try json(value, style)
    }

    private func numberFilter(
        _ name: String, _ value: JinjaValue, _ arguments: TemplateValues
    ) throws(TokenizerError) -> JinjaValue {
        switch name {
        case "abs":
            guard let number = value.asNumber else { throw error("`abs` takes a number, got \(value.typeName)") }
            return number < 0 ? try negative(value) : value
        case "round":
            guard let number = value.asNumber else { throw error("`round` takes a number, got \(value.typeName)") }
            var method = "common"
            if let argument = arguments.value(1, "method") { method = try requiredText(argument, "round") }
            return .number(try rounded(number, arguments.value(0, "precision")?.asInteger ?? 0, method))
        default:
            let isInteger = name == "int"
            let standard = arguments.value(0, "default") ?? (isInteger ? .integer(0) : .number(0))
            var number = value
            if case .string(let text) = value {
                let digits = TextSearch.trim(text, characters: nil).filter { $0 != "_" }
                number = Int(digits).map(JinjaValue.integer) ?? Double(digits).map(JinjaValue.number) ?? .none
            }
            guard let double = number.asNumber else { return standard }
            guard isInteger else { return .number(double) }
            return number.asInteger.map(JinjaValue.integer) ?? Int(exactly: double.rounded(.towardZero)).map(
                JinjaValue.integer) ?? standard
        }
    }

    private func dictsort(_ value: JinjaValue, _ arguments: TemplateValues) throws(TokenizerError) -> JinjaValue {
        guard case .map(let map) = value else { throw error("`dictsort` takes a mapping, got \(value.typeName)") }
        let place =
            try arguments.value(1, "by").map { (by) throws(TokenizerError) in try text(of: by) } == "value" ? 1 : 0
        let pairs = zip(map.keys, map.values).map { [$0, $1] }
        let order = try sorted(
            pairs.map { $0[place] }, isCaseSensitive: arguments.value(0, "case_sensitive")?.isTrue ?? false,
            isReversed: arguments.value(2, "reverse")?.isTrue ?? false)
        return .list(order.map { .tuple(pairs[$0]) })
    }

    private static let textFilters: Set<String> = [
        "trim", "upper", "lower", "capitalize", "title", "replace", "indent", "escape", "e", "format", "center",
        "truncate",
        "wordcount", "urlencode",
    ]

    private func textFilter(
        _ name: String, _ text: String, _ arguments: TemplateValues
    ) throws(TokenizerError) -> JinjaValue {
        try charge(bytes: text.utf8.count)
        switch name {
        case "trim":
            let characters = try arguments.value(0, "chars").map { (value) throws(TokenizerError) in
                try requiredText(value, name)
            }
            return .string(TextSearch.trim(text, characters: characters))
        case "title":
            return .string(TextSearch.titled(text) { !TextSearch.isBlank($0) && !"-([{<".unicodeScalars.contains($0) })
        case "replace":
            let values = TemplateValues(
                positional: [arguments.value(0, "old"), arguments.value(1, "new"), arguments.value(2, "count")]
                    .compactMap { $0 })
            return try call(textMethod: "replace", of: text, values)
        case "indent": return .string(try indented(text, arguments))
        case "escape", "e":
            let escapes = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ("\"", "&#34;")]
            return .string(escapes.reduce(text) { TextSearch.replace($1.0, with: $1.1, in: $0) })
        case "format": return .string(try formatted(text, arguments))
        case "center":
            return try call(
                textMethod: "center", of: text,
                TemplateValues(positional: [arguments.value(0, "width") ?? .integer(80)]))
        case "truncate": return .string(try truncated(text, arguments))
        case "wordcount": return .integer(TextSearch.words(text).count)
        case "urlencode":
            let kept = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~/".utf8)
            return .string(
                text.utf8.map {
                    kept.contains($0)
                        ? String(Character(Unicode.Scalar($0))) : "%" + Self.hex(UInt32($0), 2).uppercased()
                }
                .joined())
        default: return try call(textMethod: name, of: text, TemplateValues())
        }
    }

    private func indented(_ text: String, _ arguments: TemplateValues) throws(TokenizerError) -> String {
        var indent = "    "
        switch arguments.value(0, "width") {
        case .integer(let width)?:
            guard width <= 1000 else { throw error("an indent wider than 1000") }
            indent = String(repeating: " ", count: max(width, 0))
        case .string(let text)?: indent = text
        default: break
        }
        let indentsFirst = arguments.value(1, "first")?.isTrue ?? false
        let indentsBlank = arguments.value(2, "blank")?.isTrue ?? false
        let lines = TextSearch.split(text, by: "\n")
        try charge(bytes: lines.count * indent.utf8.count)
        return lines.enumerated().map { place, line in
            (place > 0 || indentsFirst) && (!line.isEmpty || indentsBlank || place == 0) ? indent + line : line
        }.joined(separator: "\n")
    }

    private func truncated(_ text: String, _ arguments: TemplateValues) throws(TokenizerError) -> String {
        let length = arguments.value(0, "length")?.asInteger ?? 255
        let killsWords = arguments.value(1, "killwords")?.isTrue ?? false
        let end =
            try arguments.value(2, "end").map { (value) throws(TokenizerError) in try requiredText(value, "truncate") }
            ?? "..."
        let leeway = arguments.value(3, "leeway")?.asInteger ?? 5
        let scalars = Array(text.unicodeScalars)
        guard length >= end.unicodeScalars.count, leeway >= 0 else { throw error("`truncate` to less than its end") }
        guard scalars.count > length, scalars.count - length > leeway else { return text }
        var kept = scalars[..<(length - end.unicodeScalars.count)]
        if !killsWords, let blank = kept.lastIndex(of: " ") { kept = kept[..<blank] }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: kept)
        return String(result) + end
    }
}
