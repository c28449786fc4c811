extension TemplateRun {
    static let textMethods: Set<String> = [
        "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "upper", "lower", "title", "capitalize",
        "startswith",
        "endswith", "replace", "join", "find", "rfind", "index", "count", "format", "isdigit", "isalpha", "isalnum",
        "isspace",
        "isupper", "islower", "removeprefix", "removesuffix", "zfill", "ljust", "rjust", "center", "partition",
        "rpartition",
        "isnumeric", "isdecimal", "swapcase",
    ]

    /// Python's methods of strings.
    func call(textMethod name: String, of text: String, _ arguments: TemplateValues) throws(TokenizerError)
        -> JinjaValue
    {
        try charge(bytes: text.utf8.count)
        let first = arguments.positional.first
        switch name {
        case "strip", "lstrip", "rstrip":
            let characters = try optionalText(first, name)
            return .string(
                TextSearch.trim(text, characters: characters, left: name != "rstrip", right: name != "lstrip"))
        case "split", "rsplit": return try split(text, name, arguments)
        case "splitlines":
            return .list(
                TextSearch.lines(text, keepsEnds: arguments.value(0, "keepends")?.isTrue ?? false).map(
                    JinjaValue.string))
        case "upper": return .string(text.uppercased())
        case "lower": return .string(text.lowercased())
        case "title": return .string(TextSearch.titled(text) { $0.properties.isCased })
        case "capitalize": return .string(TextSearch.capitalized(text))
        case "swapcase":
            let swapped = text.unicodeScalars.map {
                $0.properties.isUppercase ? $0.properties.lowercaseMapping : $0.properties.uppercaseMapping
            }
            return .string(swapped.joined())
        case "startswith", "endswith": return .bool(try hasEnd(text, first, isStart: name == "startswith"))
        case "replace":
            let old = try requiredText(first, name)
            let new = try requiredText(arguments.value(1, "new"), name)
            let (bytes, isOverflow) = new.utf8.count.multipliedReportingOverflow(by: TextSearch.count(old, in: text))
            try charge(bytes: isOverflow ? .max : bytes)
            let countMax = arguments.value(2, "count")?.asInteger ?? -1
            return .string(TextSearch.replace(old, with: new, in: text, countMax: countMax < 0 ? .max : countMax))
        case "join": return .string(try joined(items(of: first ?? .none), separator: text))
        case "find", "rfind", "index": return try find(text, requiredText(first, name), name)
        case "count": return .integer(TextSearch.count(try requiredText(first, name), in: text))
        case "format": return .string(try bracesFormatted(text, arguments))
        case "removeprefix", "removesuffix":
            let part = try requiredText(first, name)
            let isThere = name == "removeprefix" ? hasPrefix(text, part) : hasSuffix(text, part)
            guard isThere else { return .string(text) }
            let count = part.utf8.count
            return .string(
                String(Substring(name == "removeprefix" ? text.utf8.dropFirst(count) : text.utf8.dropLast(count))))
        case "zfill", "ljust", "rjust", "center": return try pad(text, name, arguments)
        case "partition", "rpartition":
            return try partition(text, requiredText(first, name), isFirst: name == "partition")
        default: return .bool(Self.isAll(text, name))
        }
    }

    func hasPrefix(_ text: String, _ part: String) -> Bool { text.utf8.starts(with: part.utf8) }
    func hasSuffix(_ text: String, _ part: String) -> Bool { text.utf8.reversed().starts(with: part.utf8.reversed()) }

    private func optionalText(_ value: JinjaValue?, _ method: String) throws(TokenizerError) -> String? {
        switch value {
        case nil, .some(.none): return nil
        case .string(let text): return text
        case .some(let value): throw error("`\(method)` takes a string, got \(value.typeName)")
        }
    }

    func requiredText(_ value: JinjaValue?, _ method: String) throws(TokenizerError) -> String {
        guard let text = try optionalText(value, method) else { throw error("`\(method)` takes a string") }
        return text
    }

    private func split(_ text: String, _ name: String, _ arguments: TemplateValues) throws(TokenizerError) -> JinjaValue
    {
        let separator = try optionalText(arguments.value(0, "sep"), name)
        let limit = arguments.value(1, "maxsplit")?.asInteger ?? -1
        let splitsMax = limit < 0 ? Int.max : limit
        let parts: [String]
        if let separator {
            guard !separator.isEmpty else { throw error("`\(name)` takes a separator that is not empty") }
            parts =
                name == "split"
                ? TextSearch.split(text, by: separator, splitsMax: splitsMax)
                : TextSearch.splitFromEnd(text, by: separator, splitsMax: splitsMax)
        } else {
            guard name == "split" || limit < 0 else {
                throw unsupported("`rsplit` by blanks with a limit is not supported")
            }
            parts = TextSearch.words(text, splitsMax: splitsMax)
        }
        try charge(parts.count)
        return .list(parts.map(JinjaValue.string))
    }

    private func hasEnd(_ text: String, _ value: JinjaValue?, isStart: Bool) throws(TokenizerError) -> Bool {
        var parts: [JinjaValue] = value.map { [$0] } ?? []
        if case .list(let list)? = value { parts = list.items }
        for part in parts {
            let part = try requiredText(part, isStart ? "startswith" : "endswith")
            if isStart ? hasPrefix(text, part) : hasSuffix(text, part) { return true }
        }
        return false
    }

    /// Places count code points.
    private func find(_ text: String, _ part: String, _ name: String) throws(TokenizerError) -> JinjaValue {
        let parts = part.isEmpty ? [name == "rfind" ? text : "", ""] : TextSearch.split(text, by: part)
        guard parts.count > 1 else {
            guard name != "index" else { throw error("the string does not hold \(TokenizerError.quoted(part))") }
            return .integer(-1)
        }
        let before = name == "rfind" ? parts.dropLast().joined(separator: part) : parts[0]
        return .integer(before.unicodeScalars.count)
    }

    func joined(_ items: [JinjaValue], separator: String) throws(TokenizerError) -> String {
        var result = ""
        for (place, item) in items.enumerated() {
            if place > 0 { result += separator }
            result += try text(of: item)
            try charge(bytes: result.utf8.count)
        }
        return result
    }

    private func pad(_ text: String, _ name: String, _ arguments: TemplateValues) throws(TokenizerError) -> JinjaValue {
        guard let width = arguments.positional.first?.asInteger else { throw error("`\(name)` takes a width") }
        let fill = name == "zfill" ? "0" : try optionalText(arguments.value(1, "fillchar"), name) ?? " "
        let missing = max(width - min(text.unicodeScalars.count, width), 0)
        try charge(bytes: missing)
        let left: Int
        switch name {
        case "ljust": left = 0
        case "center": left = missing / 2 + (missing & width & 1)
        default: left = missing
        }
        let leftFill = String(repeating: fill, count: left)
        if name == "zfill", let sign = text.utf8.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            return .string(String(text.prefix(1)) + leftFill + text.dropFirst())
        }
        return .string(leftFill + text + String(repeating: fill, count: missing - left))
    }

    private func partition(_ text: String, _ separator: String, isFirst: Bool) throws(TokenizerError) -> JinjaValue {
        guard !separator.isEmpty else { throw error("`partition` takes a separator that is not empty") }
        let parts =
            isFirst
            ? TextSearch.split(text, by: separator, splitsMax: 1)
            : TextSearch.splitFromEnd(text, by: separator, splitsMax: 1)
        guard parts.count == 2 else {
            return .tuple((isFirst ? [text, "", ""] : ["", "", text]).map(JinjaValue.string))
        }
        return .tuple([parts[0], separator, parts[1]].map(JinjaValue.string))
    }

    private static func isAll(_ text: String, _ name: String) -> Bool {
        let scalars = text.unicodeScalars
        switch name {
        case "isspace": return !scalars.isEmpty && scalars.allSatisfy(TextSearch.isBlank)
        case "isupper": return text == text.uppercased() && scalars.contains { $0.properties.isCased }
        case "islower": return text == text.lowercased() && scalars.contains { $0.properties.isCased }
        default:
            return !scalars.isEmpty
                && scalars.allSatisfy { scalar in
                    let isNumber = scalar.properties.numericType != nil
                    let isLetter =
                        switch scalar.properties.generalCategory {
                        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
                        default: false
                        }
                    switch name {
                    case "isdecimal": return scalar.properties.numericType == .decimal
                    case "isdigit":
                        return scalar.properties.numericType == .decimal || scalar.properties.numericType == .digit
                    case "isnumeric": return isNumber
                    case "isalpha": return isLetter
                    default: return isNumber || isLetter
                    }
                }
        }
    }
}
