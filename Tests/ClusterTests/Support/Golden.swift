import Foundation
import Sharding

/// What the demo model answers, computed elsewhere in f32 from the f16 weights.
struct Golden: Decodable {
    struct Case: Decodable {
        var promptIDs: [TokenID]
        var outputIDs: [TokenID]

        enum CodingKeys: String, CodingKey {
            case promptIDs = "prompt_ids"
            case outputIDs = "output_ids"
        }
    }

    var maxNewTokens: Int
    var stopIDs: [TokenID]
    var cases: [Case]

    enum CodingKeys: String, CodingKey {
        case maxNewTokens = "max_new_tokens"
        case stopIDs = "stop_ids"
        case cases
    }

    static func load() throws -> Golden {
        try JSONDecoder().decode(
            Golden.self, from: try Data(contentsOf: Paths.demoFolder.appending(path: "golden.json")))
    }

    func request(_ item: Case) -> TokenRequest {
        TokenRequest(prompt: item.promptIDs, maxTokens: maxNewTokens, endTokens: Set(stopIDs))
    }
}
