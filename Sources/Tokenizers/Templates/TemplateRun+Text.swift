import Foundation

extension TemplateRun {
    static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

    /// A value as output shows it: Python's `str`.
    func text(of value: JinjaValue) throws(TokenizerError) -> String {
        switch value {
        case .undefined: return ""
        case .string(let text): return text
        default:
            var text = ""
            try describe(value, into: &text)
            return text
        }
    }

    /// Python's `repr`.
    private func describe(_ value: JinjaValue, into text: inout String) throws(TokenizerError) {
        try charge()
        switch value {
        case .undefined: text += "Undefined"
        case .none: text += "None"
        case .bool(let value): text += value ? "True" : "False"
        case .integer(let value): text += "\(value)"
        case .number(let value): text += Self.text(of: value)
        case .string(let value): text += Self.quoted(value)
        case .list(let list):
            text += list.isTuple ? "(" : "["
            for (place, item) in list.items.enumerated() {
                if place > 0 { text += ", " }
                try describe(item, into: &text)
            }
            text += list.isTuple ? (list.items.count == 1 ? ",)" : ")") : "]"
        case .map(let map):
            text += "{"
            for (place, (key, item)) in zip(map.keys, map.values).enumerated() {
                if place > 0 { text += ", " }
                try describe(key, into: &text)
                text += ": "
                try describe(item, into: &text)
            }
            text += "}"
        case .handle(let handle): throw error("\(handle.typeName) cannot be written out")
        }
        try charge(bytes: text.utf8.count / 64)
    }

    private static func quoted(_ text: String) -> String {
        let quote: Unicode.Scalar =
            text.utf8.contains(UInt8(ascii: "'")) && !text.utf8.contains(UInt8(ascii: "\"")) ? "\"" : "'"
        var result = String(Character(quote))
        for scalar in text.unicodeScalars {
            switch scalar {
            case quote, "\\": result += "\\" + String(Character(scalar))
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0xA0).contains(scalar.value) || scalar.value == 0xAD:
                result += "\\x" + hex(scalar.value, 2)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + String(Character(quote))
    }

    static func hex(_ value: UInt32, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }

    /// A float as Python writes it: the shortest digits that read back the same.
    static func text(of number: Double) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        // Swift finds the same digits, but changes to exponents elsewhere.
        let parts = "\(abs(number))".split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        var digits = String(mantissa[0])
        var point = digits.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        digits += mantissa.count > 1 ? String(mantissa[1]) : ""
        let leading = digits.prefix { $0 == "0" }.count
        digits.removeFirst(min(leading, digits.count - 1))
        point -= min(leading, digits.count + leading - 1)
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        let sign = number.sign == .minus ? "-" : ""
        if number == 0 { return sign + "0.0" }
        if point > 16 || point < -3 {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let exponent = point - 1
            let exponentDigits = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
            return sign + digits.prefix(1) + fraction + "e" + (exponent < 0 ? "-" : "+") + exponentDigits
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if digits.count <= point { return sign + digits + String(repeating: "0", count: point - digits.count) + ".0" }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }

    // MARK: JSON

    struct JSONStyle {
        var indent: String?
        var itemSeparator: String
        var keySeparator: String
        var isSorted = false
        var isASCII = false
    }

    /// A value as Python's `json.dumps` writes it.
    func json(_ value: JinjaValue, _ style: JSONStyle, level: Int = 0) throws(TokenizerError) -> String {
        var text = ""
        try writeJSON(value, style, level, into: &text)
        return text
    }

    private func writeJSON(
        _ value: JinjaValue, _ style: JSONStyle, _ level: Int, into text: inout String
    ) throws(TokenizerError) {
        try charge()
        switch value {
        case .none: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += "\(value)"
        case .number(let value):
            text +=
                value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : Self.text(of: value)
        case .string(let value): Self.writeJSON(value, style.isASCII, into: &text)
        case .list(let list):
            text += "["
            for (place, item) in list.items.enumerated() {
                text += Self.lineStart(place, style, level + 1)
                try writeJSON(item, style, level + 1, into: &text)
            }
            text += (list.items.isEmpty ? "" : Self.lineEnd(style, level)) + "]"
        case .map(let map):
            var entries = Array(zip(try map.keys.map { (key) throws(TokenizerError) in try jsonKey(key) }, map.values))
            if style.isSorted { entries.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) } }
            text += "{"
            for (place, entry) in entries.enumerated() {
                text += Self.lineStart(place, style, level + 1)
                Self.writeJSON(entry.0, style.isASCII, into: &text)
                text += style.keySeparator
                try writeJSON(entry.1, style, level + 1, into: &text)
            }
            text += (entries.isEmpty ? "" : Self.lineEnd(style, level)) + "}"
        case .undefined(let what): throw error("cannot write JSON: \(what)")
        case .handle(let handle): throw error("cannot write \(handle.typeName) as JSON")
        }
        try charge(bytes: text.utf8.count / 64)
    }

    private func jsonKey(_ key: JinjaValue) throws(TokenizerError) -> String {
        switch key {
        case .string(let text): return text
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        default: return try text(of: key)
        }
    }

    private static func lineStart(_ place: Int, _ style: JSONStyle, _ level: Int) -> String {
        guard let indent = style.indent else { return place > 0 ? style.itemSeparator : "" }
        return (place > 0 ? style.itemSeparator : "") + "\n" + String(repeating: indent, count: level)
    }

    private static func lineEnd(_ style: JSONStyle, _ level: Int) -> String {
        style.indent.map { "\n" + String(repeating: $0, count: level) } ?? ""
    }

    private static func writeJSON(_ value: String, _ isASCII: Bool, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{C}": text += "\\f"
            case _ where scalar.value < 0x20 || (isASCII && scalar.value > 0x7E):
                for unit in String(Character(scalar)).utf16 { text += "\\u" + hex(UInt32(unit), 4) }
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
