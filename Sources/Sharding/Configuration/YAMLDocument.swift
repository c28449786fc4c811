import Foundation
import Yams

/// A YAML file as nodes with places, read within limits that keep hostile input cheap.
struct YAMLDocument {
    /// A hundred workers take about 20 KiB.
    static let bytesMax = 256 * 1024
    /// Eight references can multiply a document by twenty at most, whichever way they are nested.
    static let aliasesMax = 8
    static let nestingMax = 64
    /// Each duplicate key costs another parse; a file that would take more bytes than this has them reported in parts.
    static let parsedBytesMax = 1 << 20

    let root: Node
    /// Keys that stand twice in their mapping, by the name that took their place in `root`.
    let duplicates: [String: DuplicateKey]

    /// The earlier one of two equal keys.
    struct DuplicateKey {
        let name: String
        let mark: Mark
    }

    /// - Throws: One problem, the first that keeps the text from being read as one YAML document.
    init(_ text: String) throws(YAMLProblem) {
        try Self.checkLimits(text)
        var text = text
        var duplicates: [String: DuplicateKey] = [:]
        while true {
            do {
                guard let root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot() else {
                    throw YAMLProblem(line: 1, column: 1, message: "expected settings, got an empty file")
                }
                self.root = root
                self.duplicates = duplicates
                return
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                // The parser stops at a duplicate key. It is given another name, so that everything after it is
                // checked too.
                let stand = UnicodeScalar(0xF0000 + duplicates.count).map(String.init) ?? ""
                guard (duplicates.count + 2) * text.utf8.count <= Self.parsedBytesMax, let name = names.first,
                    let replaced = Self.rename(keyAt: context.mark, in: text, to: stand)
                else {
                    throw YAMLProblem(
                        line: context.mark.line, column: context.mark.column,
                        message: "duplicate key \(names.first ?? "")")
                }
                text = replaced.text
                duplicates[replaced.name] = DuplicateKey(name: name, mark: context.mark)
            } catch {
                throw YAMLProblem(error)
            }
        }
    }

    private static func checkLimits(_ text: String) throws(YAMLProblem) {
        var line = 1
        var column = 0
        var aliases = 0
        var opened = 0
        var previous: UInt8 = 0x0A
        var isAliasPossible = false
        for byte in text.utf8 {
            // An alias starts a token and has a name, which a port of * has not. Counting inside strings and comments
            // too can only count too many.
            if isAliasPossible, isNameByte(byte) { aliases += 1 }
            if aliases > aliasesMax {
                throw YAMLProblem(line: line, column: column, message: "expected at most \(aliasesMax) aliases (*name)")
            }
            column += 1
            isAliasPossible = byte == UInt8(ascii: "*") && isBeforeToken(previous)
            if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { opened += 1 }
            if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") { opened = max(0, opened - 1) }
            if opened > nestingMax {
                throw YAMLProblem(line: line, column: column, message: "expected at most \(nestingMax) nested levels")
            }
            if byte == 0x0A {
                line += 1
                column = 0
            }
            previous = byte
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Whether a token can start behind a byte; line breaks beyond ASCII count.
    private static func isBeforeToken(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte >= 0x80 || "[{,:?".utf8.contains(byte)
    }

    /// Replaces the first character of a plain or quoted key.
    private static func rename(keyAt mark: Mark, in text: String, to stand: String) -> (text: String, name: String)? {
        var scalars = text.unicodeScalars
        var index = scalars.startIndex
        for _ in 1..<mark.line {
            guard let newline = scalars[index...].firstIndex(of: "\n") else { return nil }
            index = scalars.index(after: newline)
        }
        guard
            var place = scalars.index(index, offsetBy: mark.column - 1, limitedBy: scalars.endIndex),
            place < scalars.endIndex
        else { return nil }
        let end: (Unicode.Scalar) -> Bool
        switch scalars[place] {
        case "\"", "'":
            let quote = scalars[place]
            place = scalars.index(after: place)
            end = { $0 == quote || $0 == "\\" }
        case "a"..."z", "A"..."Z", "_":
            end = {
                !($0.properties.isAlphabetic || $0.properties.numericType != nil || "-_.".unicodeScalars.contains($0))
            }
        default:
            return nil
        }
        guard let close = scalars[place...].firstIndex(where: end), close > place else { return nil }
        let rest = scalars[scalars.index(after: place)..<close]
        scalars.replaceSubrange(place..<scalars.index(after: place), with: stand.unicodeScalars)
        return (String(scalars), stand + String(rest))
    }
}

/// Why a text cannot be read as YAML.
struct YAMLProblem: Error {
    let line: Int
    let column: Int
    let message: String

    init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    init(_ error: any Error) {
        switch error {
        case let problem as YAMLProblem:
            self = problem
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            self.init(line: mark.line, column: mark.column, message: "not valid YAML: \(problem)")
        case YamlError.reader(let problem, let offset, _, let yaml):
            let before = yaml.prefix(offset ?? 0)
            let lineStart = before.lastIndex(of: "\n").map(before.index(after:)) ?? before.startIndex
            self.init(
                line: before.count { $0 == "\n" } + 1, column: before[lineStart...].count + 1,
                message: "not valid YAML: \(problem)")
        default:
            self.init(line: 1, column: 1, message: "not valid YAML")
        }
    }
}
