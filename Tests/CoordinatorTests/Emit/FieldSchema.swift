import Foundation
import Yams

/// The fields that a format has, with their types; `Tests/Fixtures/deployment/README.md` says how they are written.
struct FieldSchema: Decodable {
    var objects: [String: String]
    var types: [String: [String: String]]

    static func load(_ name: String) throws -> FieldSchema {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/deployment/\(name).json")
        return try JSONDecoder().decode(FieldSchema.self, from: Data(contentsOf: file))
    }

    /// What is wrong with a document; its `apiVersion` and `kind` name its type where it has them.
    func problems(_ document: Node) -> [String] {
        let name = document["apiVersion"]?.string.map { "\($0) \(document["kind"]?.string ?? "")" } ?? "compose"
        guard let type = objects[name] else { return ["\(name): no such object"] }
        return problems(document, type, type)
    }

    private func problems(_ node: Node, _ type: String, _ place: String) -> [String] {
        if type.hasPrefix("["), type.hasSuffix("]") {
            guard let elements = node.sequence else { return ["\(place): expected a list"] }
            let inner = String(type.dropFirst().dropLast())
            return elements.enumerated().flatMap { problems($1, inner, "\(place)[\($0)]") }
        }
        if type.hasPrefix("{"), type.hasSuffix("}") {
            guard let mapping = node.mapping else { return ["\(place): expected a mapping"] }
            let inner = String(type.dropFirst().dropLast())
            return mapping.flatMap { problems($1, inner, "\(place).\($0.string ?? "?")") }
        }
        if let fields = types[type] { return problems(node, fields: fields, place) }
        return isScalar(node, type) ? [] : ["\(place): expected \(type), got \(node.string ?? "a collection")"]
    }

    private func problems(_ node: Node, fields: [String: String], _ place: String) -> [String] {
        guard let mapping = node.mapping else { return ["\(place): expected a mapping"] }
        var problems: [String] = []
        var names: Set<String> = []
        for (key, value) in mapping {
            let name = key.string ?? "?"
            if !names.insert(name).inserted { problems.append("\(place).\(name): twice") }
            guard let type = fields[name] else {
                problems.append("\(place).\(name): unknown field")
                continue
            }
            let inner = type.hasSuffix("!") ? String(type.dropLast()) : type
            problems += self.problems(value, inner, "\(place).\(name)")
        }
        for (name, type) in fields where type.hasSuffix("!") && !names.contains(name) {
            problems.append("\(place).\(name): missing")
        }
        return problems
    }

    private func isScalar(_ node: Node, _ type: String) -> Bool {
        guard let text = node.scalar?.string else { return false }
        let isText = node.tag == Tag(.str)
        switch type {
        case "string": return isText
        case "integer": return node.tag == Tag(.int)
        case "number": return node.tag == Tag(.int) || node.tag == Tag(.float)
        case "boolean": return node.tag == Tag(.bool)
        case "integerOrString": return isText || node.tag == Tag(.int)
        case "quantity": return text.wholeMatch(of: /[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?/) != nil
        default: return isText && type.contains("|") && type.split(separator: "|").contains { $0 == text }
        }
    }
}
