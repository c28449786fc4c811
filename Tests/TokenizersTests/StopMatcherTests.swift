import Testing

@testable import Tokenizers

@Suite("Stop strings")
struct StopMatcherTests {
    private func run(_ stops: [String], _ pieces: [String]) -> (text: String, isStopped: Bool) {
        var matcher = StopMatcher(stops)
        var text = ""
        for piece in pieces {
            let result = matcher.append(piece)
            text += result.text
            if result.isStopped { return (text, true) }
        }
        return (text + matcher.flush(), false)
    }

    @Test(
        "a stop string is found wherever the text is cut",
        arguments: [
            ("one STOP two", ["STOP"], "one ", true), ("ababac", ["abac"], "ab", true), ("aaab", ["aab"], "a", true),
            ("no such", ["STOP"], "no such", false), ("ends with STO", ["STOP"], "ends with STO", false),
            ("grüße 👋🏽!", ["👋"], "grüße ", true), ("x\n\ny", ["\n\n", "y"], "x", true),
            ("first", ["st", "rst"], "fi", true),
            ("e\u{301}", ["é"], "e\u{301}", false), ("text", [""], "text", false),
        ])
    func findsStops(_ text: String, _ stops: [String], _ expected: String, _ isStopped: Bool) {
        let scalars = text.unicodeScalars.map { String(Character($0)) }
        for size in 1...max(scalars.count, 1) {
            let pieces = stride(from: 0, to: scalars.count, by: size).map {
                scalars[$0..<min($0 + size, scalars.count)].joined()
            }
            let result = run(stops, pieces)
            #expect(result.text.unicodeScalars.elementsEqual(expected.unicodeScalars))
            #expect(result.isStopped == isStopped)
        }
    }

    @Test("only what could begin a stop string is held back")
    func holdsBackLittle() {
        var matcher = StopMatcher(["<end>"])
        #expect(matcher.append("abc<e") == .init(text: "abc", isStopped: false))
        #expect(matcher.append("x") == .init(text: "<ex", isStopped: false))
        #expect(matcher.append("y<end>z") == .init(text: "y", isStopped: true))
        #expect(matcher.append("more") == .init(text: "", isStopped: true))
        #expect(matcher.flush().isEmpty)
    }
}
