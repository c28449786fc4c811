import Testing

@testable import LoadTesting

@Suite("Server-sent events")
struct EventReaderTests {
    private func events(_ text: String, cut: Int = .max) throws -> [String] {
        var reader = EventReader()
        var events: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(cut))
            rest = rest.dropFirst(part.count)
            events += try part.withUnsafeBytes { try reader.read($0) }.map { String(decoding: $0, as: UTF8.self) }
        }
        return events
    }

    @Test("however bytes are cut, the events are the same", arguments: [1, 2, 3, 5, 7, .max])
    func cuts(cut: Int) throws {
        let text =
            "\u{FEFF}data: one\n\n: waiting\n\ndata:two\r\n\r\nevent: x\rdata: thrée\r\rid: 7\n\n"
            + "data: a\ndata: b\ndata\n\n"
        #expect(try events(text, cut: cut) == ["one", "two", "thrée", "a\nb\n"])
    }

    @Test("one space after the colon is left out, and no other")
    func spaces() throws {
        #expect(try events("data:  x \n\n") == [" x "])
    }

    @Test("an event without its empty line is none")
    func unfinished() throws {
        #expect(try events("data: x\n").isEmpty)
    }

    @Test("fields whose names only begin with data are others")
    func otherFields() throws {
        #expect(try events("database: x\n\ndat: y\n\n").isEmpty)
    }

    @Test("lines and events have a limit")
    func limits() throws {
        let long = String(repeating: "x", count: EventReader.lineBytesMax)
        #expect(throws: LoadFailure.self) { try events("data: \(long)") }
        let half = String(repeating: "x", count: EventReader.lineBytesMax / 2)
        let error = #expect(throws: LoadFailure.self) { try events("data: \(half)\ndata: \(half)\n") }
        #expect(error?.kind == .tooLarge)
    }
}
