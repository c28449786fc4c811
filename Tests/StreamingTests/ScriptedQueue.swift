import Glibc

@testable import Streaming

/// Reads at once, and tells of the ends when and how its script says.
final class ScriptedQueue: ReadQueue {
    /// What becomes of the read that starts at an offset; nil reads as asked.
    var script: (FileRead) -> Int? = { _ in nil }
    /// In which order ends are told: an index among those that are under way.
    var pick: (Int) -> Int = { _ in 0 }
    private var ends: [ReadEnd] = []
    private(set) var reads: [FileRead] = []

    func start(_ read: FileRead) {
        reads.append(read)
        var result = script(read) ?? read.byteCount
        if result > 0 { result = pread(read.descriptor, read.target, result, off_t(read.offset)) }
        ends.append(ReadEnd(id: read.id, result: result))
    }

    func next() -> ReadEnd { ends.remove(at: pick(ends.count)) }

    /// Nothing ends before it is waited for: so everything does in the tests' order.
    func nextEnded() -> ReadEnd? { nil }
}
