import Testing

@testable import Terminal

@Suite("Editing a line")
struct LineEditorTests {
    private func keys(_ bytes: [UInt8]) -> [Key] {
        var rest = bytes[...]
        var reader = KeyReader { rest.popFirst() }
        var keys: [Key] = []
        while let key = reader.next() { keys.append(key) }
        return keys
    }

    private func edited(_ bytes: [UInt8], history: [String] = []) -> LineState {
        var state = LineState(history: history)
        for key in keys(bytes) { state.apply(key) }
        return state
    }

    @Test("escape sequences become keys, and unknown ones are swallowed whole")
    func sequences() {
        let bytes = Array("a\u{1B}[A\u{1B}[1;5C\u{1B}OH\u{1B}[3~\u{1B}[200~b\r".utf8)
        #expect(keys(bytes) == [.character("a"), .up, .right, .home, .delete, .unknown, .character("b"), .enter])
    }

    @Test("a character of several bytes is one key, and a broken one is none")
    func characters() {
        #expect(keys(Array("é🙂".utf8)) == [.character("é"), .character("🙂")])
        #expect(keys([0xF0, 0x9F]) == [])
    }

    @Test("text goes in at the cursor")
    func insertion() {
        let state = edited(Array("ac\u{1B}[Db".utf8))
        #expect(state.text == "abc")
        #expect(state.cursor == 2)
    }

    @Test("Ctrl-W takes a word, Ctrl-U all before the cursor, Ctrl-K all after it")
    func cutting() {
        #expect(edited(Array("one two \u{17}".utf8)).text == "one ")
        #expect(edited(Array("one two\u{1B}[D\u{15}".utf8)).text == "o")
        #expect(edited(Array("one two\u{01}\u{0B}".utf8)).text == "")
    }

    @Test("the history walks up and down, and what was being typed comes back")
    func historyWalk() {
        let history = ["first", "second"]
        #expect(edited(Array("x\u{1B}[A".utf8), history: history).text == "second")
        #expect(edited(Array("x\u{1B}[A\u{1B}[A\u{1B}[A".utf8), history: history).text == "first")
        #expect(edited(Array("x\u{1B}[A\u{1B}[B".utf8), history: history).text == "x")
    }

    @Test("keys at the borders of the line change nothing")
    func borders() {
        #expect(edited([0x7F, 0x1B, 0x5B, 0x44, 0x1B, 0x5B, 0x33, 0x7E]).text == "")
    }
}
