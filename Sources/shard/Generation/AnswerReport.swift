import Foundation
import Sharding

/// The object that `--json` prints for one answer.
struct AnswerReport: Encodable {
    struct Timings: Encodable {
        var load_ms: Double
        var prompt_ms: Double
        var prompt_tokens: Int
        var generation_ms: Double
        var generated_tokens: Int
        /// Of a model that is read from disk; left out otherwise.
        var memory_efficient: StreamingTimings?
    }

    var prompt_token_ids: [TokenID]
    var token_ids: [TokenID]
    var text: String
    var finish_reason: String
    var timings: Timings

    init(prompt: [TokenID], _ answer: Answer, load: Duration) {
        prompt_token_ids = prompt
        token_ids = answer.tokens
        text = answer.text
        finish_reason = answer.finish.rawValue
        timings = Timings(
            load_ms: load / .milliseconds(1), prompt_ms: answer.timings.prompt / .milliseconds(1),
            prompt_tokens: answer.timings.promptTokens, generation_ms: answer.timings.generation / .milliseconds(1),
            generated_tokens: answer.timings.generatedTokens, memory_efficient: answer.streaming)
    }
}

/// JSON on one line, keys in order of the alphabet; one line for readers that count Unicode's line ends, too.
enum JSONText {
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var line = ""
        for scalar in String(decoding: try encoder.encode(value), as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\u{85}", "\u{2028}", "\u{2029}": line += "\\u" + String(scalar.value, radix: 16).leftPadded(to: 4)
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: "0", count: max(0, width - count)) + self
    }
}
