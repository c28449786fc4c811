import Foundation
import Sharding

/// What is said of a key that was made for a client of the HTTP API: it, where it stands, and what to do with both.
struct APIKeyReport: Encodable {
    let name: String
    let key: String
    let file: String

    var lines: [String] {
        [
            "key   \(key)",
            "file  \(file), for its owner only", "",
            "In cluster.yaml, from which a relative path counts:", "",
            "    coordinator:",
            "      api_keys: \(YAMLText.quoted(file))", "",
            "\(name) presents it as:", "",
            "    curl -H 'Authorization: Bearer \(key)' http://127.0.0.1:8080/v1/models",
        ]
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
