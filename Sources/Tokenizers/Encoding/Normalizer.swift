import Foundation

/// One rewriting of a text before it is cut into pieces.
enum Normalizer: Sendable {
    enum Form: String, Sendable, CaseIterable {
        case nfc = "NFC"
        case nfd = "NFD"
        case nfkc = "NFKC"
        case nfkd = "NFKD"
    }

    case unicode(Form)
    case lowercase
    /// Put before a text that is not empty.
    case prepend([UInt8])
    case replaceText([UInt8], with: [UInt8])
    case replacePattern(Pattern, with: [UInt8])
    case strip(left: Bool, right: Bool)

    /// What one text may become; repeated replacements of a hostile file grow without bound.
    static let textBytesMax = 1 << 28

    func apply(to text: [UInt8]) throws(TokenizerError) -> [UInt8] {
        let result = try rewrite(text)
        guard result.count <= Self.textBytesMax else {
            throw TokenizerError(.limit, "normalizer", "text grew beyond \(Self.textBytesMax) bytes")
        }
        return result
    }

    private func rewrite(_ text: [UInt8]) throws(TokenizerError) -> [UInt8] {
        switch self {
        case .unicode(let form):
            return Self.normalize(text, form)
        case .lowercase:
            return Array(String(decoding: text, as: UTF8.self).lowercased().utf8)
        case .prepend(let prefix):
            return text.isEmpty ? text : prefix + text
        case .replaceText(let old, let new):
            return replacing(old, with: new, in: text[...])
        case .replacePattern(let pattern, let new):
            var result: [UInt8] = []
            var place = 0
            for match in try pattern.matches(inSlice: text[...]) {
                result.append(contentsOf: text[place..<match.lowerBound])
                result.append(contentsOf: new)
                place = match.upperBound
            }
            return result + text[place...]
        case .strip(let left, let right):
            var scalars = String(decoding: text, as: UTF8.self).unicodeScalars[...]
            if left { scalars = scalars.drop { $0.properties.isWhitespace } }
            while right, let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
            return Array(String(scalars).utf8)
        }
    }

    private static func normalize(_ text: [UInt8], _ form: Form) -> [UInt8] {
        // ASCII is in every form.
        if !text.contains(where: { $0 >= 0x80 }) { return text }
        let string = String(decoding: text, as: UTF8.self)
        switch form {
        case .nfc: return Array(string.precomposedStringWithCanonicalMapping.utf8)
        case .nfd: return Array(string.decomposedStringWithCanonicalMapping.utf8)
        case .nfkc: return Array(string.precomposedStringWithCompatibilityMapping.utf8)
        case .nfkd: return Array(string.decomposedStringWithCompatibilityMapping.utf8)
        }
    }
}
