import Foundation
import Logging
import Testing

@testable import Terminal

@Suite("JSON logs")
struct JSONLogTests {
    private func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        JSONLogHandler.line(
            time: "2026-01-02T03:04:05.006Z", level: .warning, label: "shard-worker", message: message,
            metadata: metadata)
    }

    @Test("an entry is one object with time, level, label and message")
    func entry() {
        #expect(
            line("joined")
                == #"{"time":"2026-01-02T03:04:05.006Z","level":"warning","label":"shard-worker","message":"joined"}"#)
        #expect(line("x", ["worker": "a", "epoch": "\(7)"]).hasSuffix(#","metadata":{"epoch":"7","worker":"a"}}"#))
        #expect(
            line("x", ["all": ["a", ["b": "c"]]]).hasSuffix(#","metadata":{"all":["a",{"b":"c"}]}}"#))
    }

    @Test(
        "whatever is logged comes back from a JSON reader, and stands on one line",
        arguments: ["a\nb\r\n", "\u{0}\u{1B}[2J", "\"\\\"", "\u{85}\u{2028}\u{7F}", "日本 😀", "\u{D7FF}\u{FFFD}"])
    func escaping(text: String) throws {
        let line = line(text, ["k\n": .string(text)])
        #expect(line.unicodeScalars.allSatisfy { !$0.properties.isWhitespace || $0 == " " })
        #expect(!line.unicodeScalars.contains { $0.properties.generalCategory == .control })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["message"] as? String == text)
        #expect((object["metadata"] as? [String: String])?["k\n"] == text)
    }

    @Test("a worker's lines come under its name, JSON or not")
    func forwarded() throws {
        for text in [line("loaded"), "Fatal error: \"x\"", "{\"broken", "{}"] {
            let line = JSONLogHandler.line(text, from: "a\"b")
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            if text == "{\"broken" { #expect(object?["message"] as? String == text) }
            #expect(object?["from"] as? String == "a\"b", "\(line)")
        }
    }
}
