import Foundation

/// How requests are worded for one server.
package struct RequestShape: Sendable, Hashable {
    package enum Prompts: String, Sendable, Hashable, Codable {
        /// Completions of token ids.
        case tokens
        /// Completions of text.
        case text
        /// Conversations of one message.
        case chat
    }

    package var model: String
    package var prompts: Prompts
    /// Whether answers go on after tokens that end them, so that they are as long as was asked for.
    package var ignoresEnd: Bool
    /// Whether the server is asked to say how many tokens it counted.
    package var asksUsage: Bool
    package var temperature: Double
    /// Token ids that prompts are made of.
    package var tokenIDs: ClosedRange<Int>

    package init(
        model: String, prompts: Prompts, ignoresEnd: Bool, asksUsage: Bool, temperature: Double,
        tokenIDs: ClosedRange<Int>
    ) {
        self.model = model
        self.prompts = prompts
        self.ignoresEnd = ignoresEnd
        self.asksUsage = asksUsage
        self.temperature = temperature
        self.tokenIDs = tokenIDs
    }

    /// Different symbols that prompts can be made of.
    package var alphabet: Int { prompts == .tokens ? tokenIDs.count : Self.words.count }

    var path: String { prompts == .chat ? "/v1/chat/completions" : "/v1/completions" }

    func body(of request: LoadRequest) -> Data {
        let body = Body(
            model: model, prompt: prompt(request.symbols),
            messages: prompts == .chat ? [Body.Message(role: "user", content: text(request.symbols))] : nil,
            maxTokens: request.outputTokens, temperature: temperature, stream: true,
            streamOptions: asksUsage ? Body.StreamOptions(includeUsage: true) : nil,
            ignoreEos: ignoresEnd ? true : nil, seed: temperature > 0 ? request.seed : nil)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        do {
            return try encoder.encode(body)
        } catch {
            preconditionFailure("strings and finite numbers can be written as JSON: \(error)")
        }
    }

    private func prompt(_ symbols: [Int]) -> Body.Prompt? {
        switch prompts {
        case .tokens: .tokens(symbols.map { tokenIDs.lowerBound + $0 })
        case .text: .text(text(symbols))
        case .chat: nil
        }
    }

    private func text(_ symbols: [Int]) -> String { symbols.map { Self.words[$0] }.joined(separator: " ") }

    private struct Body: Encodable {
        enum Prompt: Encodable {
            case tokens([Int])
            case text(String)

            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                switch self {
                case .tokens(let tokens): try container.encode(tokens)
                case .text(let text): try container.encode(text)
                }
            }
        }
        struct Message: Encodable { var role: String, content: String }
        struct StreamOptions: Encodable { var includeUsage: Bool }

        var model: String
        var prompt: Prompt?
        var messages: [Message]?
        var maxTokens: Int
        var temperature: Double
        var stream: Bool
        var streamOptions: StreamOptions?
        var ignoreEos: Bool?
        var seed: UInt64?
    }

    /// Common words, most of which are one token for most tokenizers.
    private static let words = """
        time year people way day man thing woman life child world school state family student group country problem hand \
        part place case week company system program question work number night point home water room mother area money \
        story fact month lot right study book eye job word business issue side kind head house service friend father power \
        hour game line end member law car city name
        """.split(separator: " ").map(String.init)
}
