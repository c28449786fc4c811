import Yams

/// A value that is to be written as YAML. Keys keep their order, and a text is never taken for anything else.
///
///     let port: YAMLTree = ["name": "control", "containerPort": 5555, "hostPort": nil]
indirect enum YAMLTree: Sendable, Hashable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([YAMLTree])
    case mapping([Entry])

    struct Entry: Sendable, Hashable {
        var key: String
        var value: YAMLTree
    }

    /// Several documents as one file, after a head of comments.
    static func file(head: [String], _ documents: [YAMLTree]) throws(CoordinatorError) -> String {
        var text = head.map { EmittedFile.comment($0) + "\n" }.joined()
        for (index, document) in documents.enumerated() {
            if index > 0 { text += "---\n" }
            do {
                text += try Yams.serialize(node: document.node, width: -1, allowUnicode: true)
            } catch {
                throw CoordinatorError(.failed, "emit: cannot be written as YAML: \(error)", cause: error)
            }
        }
        return text
    }

    private var node: Node {
        switch self {
        case .text(let text): .scalar(Node.Scalar(text, Tag(.str), Self.style(of: text)))
        case .number(let number): .scalar(Node.Scalar("\(number)", Tag(.int), .plain))
        case .flag(let flag): .scalar(Node.Scalar(flag ? "true" : "false", Tag(.bool), .plain))
        case .list(let elements):
            .sequence(Node.Sequence(elements.map(\.node), Tag(.seq), elements.isEmpty ? .flow : .block))
        case .mapping(let entries):
            .mapping(
                Node.Mapping(
                    entries.map { (YAMLTree.text($0.key).node, $0.value.node) }, Tag(.map),
                    entries.isEmpty ? .flow : .block))
        }
    }

    /// Plain only where no reader of any version of YAML could see anything but text.
    private static func style(of text: String) -> Node.Scalar.Style {
        let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"]
        let isASCII = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x0A }
        if isASCII, text.contains("\n") { return .literal }
        let first = text.utf8.first ?? 0
        let isPlain =
            isASCII && (first == UInt8(ascii: "/") || isLetter(first)) && text.utf8.last != UInt8(ascii: "-")
            && text.utf8.allSatisfy { isLetter($0) || "0123456789_-./".utf8.contains($0) }
        return isPlain && !words.contains(text.lowercased()) ? .plain : .doubleQuoted
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

extension YAMLTree: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    init(stringLiteral value: String) { self = .text(value) }
}

extension YAMLTree: ExpressibleByIntegerLiteral {
    init(integerLiteral value: Int) { self = .number(value) }
}

extension YAMLTree: ExpressibleByBooleanLiteral {
    init(booleanLiteral value: Bool) { self = .flag(value) }
}

extension YAMLTree: ExpressibleByArrayLiteral {
    init(arrayLiteral elements: YAMLTree...) { self = .list(elements) }
}

extension YAMLTree: ExpressibleByDictionaryLiteral {
    /// Entries without a value are left out.
    init(dictionaryLiteral elements: (String, YAMLTree?)...) {
        self = .mapping(elements.compactMap { key, value in value.map { Entry(key: key, value: $0) } })
    }
}

extension YAMLTree {
    static func texts(_ texts: [String]) -> YAMLTree { .list(texts.map { .text($0) }) }

    /// `{a: x, b: y}` in the order given.
    static func mapping(_ pairs: [(String, YAMLTree)]) -> YAMLTree {
        .mapping(pairs.map { Entry(key: $0.0, value: $0.1) })
    }
}
