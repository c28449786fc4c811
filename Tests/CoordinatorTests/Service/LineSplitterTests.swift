import Testing

@testable import Coordinator

@Suite("Lines of a process")
struct LineSplitterTests {
    private func split(_ pieces: [String]) -> [String] {
        var splitter = LineSplitter()
        var lines: [String] = []
        for piece in pieces { lines += Array(piece.utf8).withUnsafeBytes { splitter.split($0) } }
        return lines + [splitter.rest()].compactMap { $0 }
    }

    @Test("lines come out whole however their bytes arrive, the last one without an end too")
    func pieces() {
        #expect(split(["one\ntw", "o\r\n\nthr", "ee"]) == ["one", "two", "three"])
        #expect(split(Array("ä\nö\n").map(String.init)) == ["ä", "ö"])
        #expect(split([]).isEmpty)
    }

    @Test("a line beyond the bound is cut, and the lines after it are read")
    func bound() {
        let long = String(repeating: "x", count: 3 * LineSplitter.lineBytesMax)
        let lines = split([long, long, "\nnext\n"])
        #expect(lines.map(\.utf8.count) == [LineSplitter.lineBytesMax, 4])
        #expect(lines.last == "next")
    }
}
