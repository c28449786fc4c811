import Testing

@testable import Terminal

@Suite("Text for people")
struct TextTableTests {
    @Test("columns are as wide as their widest cell, numbers to the right")
    func table() {
        var table = TextTable([("worker", .left), ("layers", .right)])
        table.add(["a", "0-3"])
        table.add(["long-name", "4"])
        #expect(table.lines == ["worker     layers", "a             0-3", "long-name       4"])
    }

    @Test(
        "bytes are written in powers of 1024",
        arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (5_141_440, "4.90 MiB"), (1 << 34, "16.0 GiB")])
    func bytes(count: Int, text: String) { #expect(ByteText.text(count) == text) }

    @Test("a bar is full at 100 % and empty at 0 %", arguments: [(0, 0), (50, 12), (100, 24), (130, 24)])
    func bar(percent: Int, filled: Int) {
        let bar = ProgressBar.bar(percent: percent)
        #expect(bar.count == 26)
        #expect(bar.filter { $0 == "#" }.count == filled)
    }

    @Test("control characters cannot break an error line in two")
    func singleLine() { #expect(Program.singleLine("a\nb\u{1B}[2J") == "a\\x0ab\\x1b[2J") }
}
