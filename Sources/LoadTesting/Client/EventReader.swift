/// Takes server-sent events (HTML Living Standard, section 9.2) out of bytes, however those are cut.
struct EventReader {
    static let lineBytesMax = 1 << 20
    /// Of a whole stream.
    static let bytesMax = 256 << 20

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var isFirstLine = true
    /// A line that ended with CR: an LF that follows belongs to it.
    private var skipsLineFeed = false
    private var byteCount = 0

    /// - Returns: the data of events that are complete now; comments and other fields have none.
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(LoadFailure) -> [[UInt8]] {
        byteCount += bytes.count
        guard byteCount <= Self.bytesMax else {
            throw LoadFailure(.tooLarge, "stream: expected at most \(Self.bytesMax) bytes, got more")
        }
        var events: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n"), skipsLineFeed {
                skipsLineFeed = false
                continue
            }
            skipsLineFeed = byte == UInt8(ascii: "\r")
            guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else {
                line.append(byte)
                guard line.count <= Self.lineBytesMax else {
                    throw LoadFailure(
                        .tooLarge, "event: expected lines of at most \(Self.lineBytesMax) bytes, got more")
                }
                continue
            }
            try endLine(&events)
        }
        return events
    }

    private mutating func endLine(_ events: inout [[UInt8]]) throws(LoadFailure) {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        isFirstLine = false
        if line.isEmpty {
            if hasData { events.append(data) }
            data.removeAll(keepingCapacity: true)
            hasData = false
            return
        }
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        guard name.elementsEqual("data".utf8) else { return }
        var value = line[name.endIndex...].dropFirst()
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        if hasData { data.append(UInt8(ascii: "\n")) }
        hasData = true
        data.append(contentsOf: value)
        guard data.count <= Self.lineBytesMax else {
            throw LoadFailure(.tooLarge, "event: expected at most \(Self.lineBytesMax) bytes, got more")
        }
    }
}
