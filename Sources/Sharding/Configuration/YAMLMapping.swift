import Yams

/// Collects what is wrong while a document is read to its end.
final class ConfigurationProblems {
    private(set) var all: [ConfigurationProblem] = []
    private var places: Set<ConfigurationPlace> = []

    func add(_ place: ConfigurationPlace, _ message: String) {
        // One place has one problem: the first, which is the cause of what follows.
        if places.insert(place).inserted { all.append(ConfigurationProblem(place, message)) }
    }
}

/// One value of a document with its place.
struct YAMLValue {
    let node: Node
    let place: ConfigurationPlace

    init(_ node: Node, key: String) {
        self.node = node
        place = ConfigurationPlace(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, key: key)
    }

    /// A scalar's text; nil for lists and mappings.
    var text: String? { node.scalar?.string }

    var isPlain: Bool { node.scalar?.style == .plain }

    var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

    /// The value in an error message, short and on one line.
    var found: String {
        switch node {
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        case .scalar, .alias:
            if isNull { return "nothing" }
            let text = (text ?? "").unicodeScalars.prefix(61)
                .map { $0.properties.generalCategory == .control ? "\u{FFFD}" : String($0) }
            return "\"\(text.prefix(60).joined())\(text.count > 60 ? "…" : "")\""
        }
    }
}

/// One mapping of a document: hands out typed values by key and reports those that are wrong or unknown.
struct YAMLMapping {
    let place: ConfigurationPlace
    private let problems: ConfigurationProblems
    private let values: [String: YAMLValue]

    /// - Parameter known: All keys that it may have.
    init?(
        _ value: YAMLValue, known: [String], duplicates: [String: YAMLDocument.DuplicateKey],
        problems: ConfigurationProblems
    ) {
        guard case .mapping(let mapping) = value.node else {
            problems.add(value.place, "expected a mapping with \(known.joined(separator: ", ")), got \(value.found)")
            return nil
        }
        place = value.place
        self.problems = problems
        let prefix = place.key.isEmpty ? "" : place.key + "."
        var values: [String: YAMLValue] = [:]
        var earlier: [String: Int] = [:]
        for (keyNode, node) in mapping {
            guard let key = keyNode.scalar?.string else {
                problems.add(YAMLValue(keyNode, key: place.key).place, "expected a key, got a list or mapping")
                continue
            }
            let duplicate = duplicates[key]
            let name = duplicate?.name ?? key
            let keyPlace = YAMLValue(keyNode, key: prefix + name.onOneLine).place
            if let line = earlier[name] { problems.add(keyPlace, "duplicate key, before on line \(line)") }
            if let duplicate {
                earlier[name] = duplicate.mark.line
                continue
            }
            guard known.contains(key) else {
                let hint = nearestWord(to: key, among: known).map { "; did you mean \($0)?" }
                problems.add(
                    keyPlace, "unknown key\(hint ?? "; known are \(known.joined(separator: ", "))")")
                continue
            }
            values[key] = YAMLValue(node, key: prefix + key)
        }
        self.values = values
    }

    /// The value of a key; nil where it is absent or null.
    func value(_ key: String) -> YAMLValue? {
        guard let value = values[key], !value.isNull else { return nil }
        return value
    }

    /// Where a key stands; the mapping's own place where it is absent.
    func place(of key: String) -> ConfigurationPlace {
        if let value = values[key] { return value.place }
        let prefix = place.key.isEmpty ? "" : place.key + "."
        return ConfigurationPlace(line: place.line, column: place.column, key: prefix + key)
    }

    func report(_ key: String, _ message: String) { problems.add(place(of: key), message) }

    /// Reads a scalar; reports it where `read` returns nil.
    func scalar<Value>(_ key: String, expected: String, _ read: (YAMLValue, String) -> Value?) -> Value? {
        guard let value = value(key) else { return nil }
        if let text = value.text, let result = read(value, text) { return result }
        problems.add(value.place, "expected \(expected), got \(value.found)")
        return nil
    }

    func string(_ key: String, expected: String = "text") -> String? {
        scalar(key, expected: expected) { _, text in text.isEmpty || text.contains("\0") ? nil : text }
    }

    func integer(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        scalar(key, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { value, text in
            guard value.isPlain, let number = Int(text), range.contains(number) else { return nil }
            return number
        }
    }

    func boolean(_ key: String) -> Bool? {
        scalar(key, expected: "true or false") { value, text in
            guard value.isPlain else { return nil }
            return switch text {
            case "true": true
            case "false": false
            default: nil
            }
        }
    }

    /// - Parameter rangeText: The range as people write it.
    func duration(_ key: String, _ range: ClosedRange<Duration>, _ rangeText: String) -> Duration? {
        scalar(key, expected: "a duration such as 500ms or 2s, \(rangeText)") { _, text in
            ConfigurationScalar.duration(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// An address that is not libzmq's, so without `tcp://`.
    func addressWithoutScheme(_ key: String) -> NetworkAddress? {
        scalar(key, expected: NetworkAddress.expectationWithoutScheme) { _, text in
            text.contains("://") ? nil : NetworkAddress(text)
        }
    }

    func address(_ key: String) -> NetworkAddress? {
        scalar(key, expected: NetworkAddress.expectation) { _, text in NetworkAddress(text) }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        let known = Choice.allCases.map(\.rawValue)
        return scalar(key, expected: "one of \(known.joined(separator: ", "))") { _, text in Choice(rawValue: text) }
    }

    /// The elements of a list; nil where it is absent, or is none.
    func list(_ key: String, expected: String, countMax: Int) -> [YAMLValue]? {
        guard let value = value(key) else { return nil }
        guard case .sequence(let sequence) = value.node else {
            problems.add(value.place, "expected \(expected), got \(value.found)")
            return nil
        }
        guard sequence.count <= countMax else {
            problems.add(value.place, "expected at most \(countMax) entries, got \(sequence.count)")
            return nil
        }
        return sequence.enumerated().map { YAMLValue($1, key: "\(value.place.key)[\($0)]") }
    }

    func strings(_ key: String, expected: String) -> [String]? {
        list(key, expected: "a list of \(expected)s", countMax: 64)?.compactMap { element in
            if let text = element.text, !text.isEmpty, !element.isNull { return text }
            problems.add(element.place, "expected \(expected), got \(element.found)")
            return nil
        }
    }
}

extension String {
    /// Control characters replaced, at most 60 characters.
    fileprivate var onOneLine: String {
        let scalars = unicodeScalars.prefix(60).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}
