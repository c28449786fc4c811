/// Cuts a process's output into lines; of a line beyond the bound it keeps the beginning and throws away the rest.
struct LineSplitter: Sendable {
    static let lineBytesMax = 64 << 10

    private var line: [UInt8] = []

    /// The lines that end in `bytes`, without their ends; empty ones are left out.
    mutating func split(_ bytes: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if let line = rest() { lines.append(line) }
            } else if line.count < Self.lineBytesMax, byte != UInt8(ascii: "\r") {
                line.append(byte)
            }
        }
        return lines
    }

    /// What came after the last line's end; nil when nothing did.
    mutating func rest() -> String? {
        guard !line.isEmpty else { return nil }
        defer { line.removeAll(keepingCapacity: true) }
        return String(decoding: line, as: UTF8.self)
    }
}
