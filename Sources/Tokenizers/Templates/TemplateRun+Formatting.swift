import Foundation

extension TemplateRun {
    /// Python's `%` formatting: `%s`, `%d`, `%f` and their kin, with flags, width and precision.
    func formatted(_ format: String, _ values: TemplateValues) throws(TokenizerError) -> String {
        var result = ""
        var next = 0
        var rest = format.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            let flags = rest.prefix { "-+ 0#".unicodeScalars.contains($0) }
            rest = rest[flags.endIndex...]
            let width = rest.prefix { ("0"..."9").contains($0) }
            rest = rest[width.endIndex...]
            var precision: Int?
            if rest.first == "." {
                let digits = rest.dropFirst().prefix { ("0"..."9").contains($0) }
                rest = rest[digits.endIndex...]
                precision = Int(String(digits)) ?? 0
            }
            guard let kind = rest.popFirst() else { throw error("a format that ends with %") }
            if kind == "%" {
                result += "%"
                continue
            }
            guard next < values.positional.count else { throw error("not enough values for the format") }
            let widthValue = Int(String(width)) ?? 0
            guard widthValue <= 10_000, precision ?? 0 <= 1000 else { throw error("a format wider than 10000") }
            let text = try field(values.positional[next], kind, precision, isSigned: flags.contains("+"))
            next += 1
            let fill = String(
                repeating: flags.contains("0") && kind != "s" ? "0" : " ",
                count: max(widthValue - text.unicodeScalars.count, 0))
            result += flags.contains("-") ? text + fill : fill + text
            try charge(bytes: result.utf8.count)
        }
        return result
    }

    private func field(
        _ value: JinjaValue, _ kind: Unicode.Scalar, _ precision: Int?, isSigned: Bool
    ) throws(TokenizerError) -> String {
        switch kind {
        case "s", "r":
            let text = try text(of: value)
            return precision.map { String(text.unicodeScalars.prefix($0)) } ?? text
        case "d", "i", "u":
            guard let number = value.asNumber else {
                throw error("the format %\(kind) takes a number, got \(value.typeName)")
            }
            let integer = value.asInteger ?? Int(exactly: number.rounded(.towardZero))
            guard let integer else { throw error("an integer too large") }
            return (isSigned && integer >= 0 ? "+" : "") + "\(integer)"
        case "f", "F", "e", "E", "g", "G":
            guard let number = value.asNumber else {
                throw error("the format %\(kind) takes a number, got \(value.typeName)")
            }
            return String(format: "%\(isSigned ? "+" : "").\(precision ?? 6)\(kind)", number)
        case "x", "X":
            guard let integer = value.asInteger else { throw error("the format %x takes an integer") }
            return String(integer, radix: 16, uppercase: kind == "X")
        default: throw unsupported("the format %\(kind) is not supported")
        }
    }

    /// Python's `str.format` with plain fields: `{}`, `{0}`, `{name}`.
    func bracesFormatted(_ format: String, _ values: TemplateValues) throws(TokenizerError) -> String {
        var result = ""
        var next = 0
        var rest = format.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if (scalar == "{" || scalar == "}") && rest.first == scalar {
                rest.removeFirst()
                result.unicodeScalars.append(scalar)
            } else if scalar == "{" {
                guard let end = rest.firstIndex(of: "}") else { throw error("a format without its closing brace") }
                let name = String(rest[..<end])
                rest = rest[rest.index(after: end)...]
                let place = name.isEmpty ? next : Int(name) ?? Int.max
                next += name.isEmpty ? 1 : 0
                guard !name.contains(where: { ".[!:".contains($0) }) else {
                    throw unsupported("the format field \(TokenizerError.quoted(name)) is not supported")
                }
                guard let value = values.value(place, name) else {
                    throw error("the format field \(TokenizerError.quoted(name)) has no value")
                }
                result += try text(of: value)
                try charge(bytes: result.utf8.count)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `round(value, precision)`, half to even as Python has it, or up, or down.
    func rounded(_ value: Double, _ precision: Int, _ method: String) throws(TokenizerError) -> Double {
        guard abs(precision) <= 300 else { throw error("a precision beyond 300 digits") }
        switch method {
        case "common":
            return precision >= 0
                ? Double(String(format: "%.\(precision)f", value)) ?? value : scaled(value, precision, .toNearestOrEven)
        case "ceil": return scaled(value, precision, .up)
        case "floor": return scaled(value, precision, .down)
        default: throw error("`round` knows common, ceil and floor, not \(TokenizerError.quoted(method))")
        }
    }

    private func scaled(_ value: Double, _ precision: Int, _ rule: FloatingPointRoundingRule) -> Double {
        let scale = Self.power(10, Double(precision))
        return (value * scale).rounded(rule) / scale
    }
}
