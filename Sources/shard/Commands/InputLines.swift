import Foundation

/// Lines of standard input, as bytes, as they come.
struct InputLines: Sequence, IteratorProtocol {
    private static let chunkBytes = 1 << 16

    private var buffer: [UInt8] = []
    /// Bytes of `buffer` that are known to hold no line end.
    private var searched = 0
    private var isEnded = false

    mutating func next() -> [UInt8]? {
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                return take(end, passing: 1)
            }
            if isEnded { return buffer.isEmpty ? nil : take(buffer.count, passing: 0) }
            searched = buffer.count
            readMore()
        }
    }

    private mutating func take(_ count: Int, passing ending: Int) -> [UInt8] {
        let line = Array(buffer[..<count])
        buffer.removeFirst(count + ending)
        searched = 0
        return line
    }

    /// Everything that is left.
    mutating func rest() -> [UInt8] {
        while !isEnded { readMore() }
        return take(buffer.count, passing: 0)
    }

    private mutating func readMore() {
        var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
        let count = read(STDIN_FILENO, &chunk, chunk.count)
        if count < 0, errno == EINTR { return }
        guard count > 0 else {
            isEnded = true
            return
        }
        buffer.append(contentsOf: chunk[..<count])
    }
}
