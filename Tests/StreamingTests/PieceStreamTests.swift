import Foundation
import ModelFiles
import Testing

@testable import Streaming

@Suite("A stream of pieces")
struct PieceStreamTests {
    /// A file of known bytes, gone with the test.
    private final class TestFile {
        let path: String
        let bytes: [UInt8]

        init(byteCount: Int) throws {
            path = NSTemporaryDirectory() + "pieces-\(UUID().uuidString)"
            bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            try Data(bytes).write(to: URL(filePath: path))
        }

        deinit { unlink(path) }

        func open() throws -> PieceFile { try PieceFile(MappedFile(path: path)) }
    }

    /// Goes with the stream that owns it: reads that were begun write to it.
    private final class Ring {
        let memory: UnsafeMutableRawBufferPointer

        init(byteCount: Int) { memory = .allocate(byteCount: byteCount, alignment: 4096) }
        deinit { memory.deallocate() }
    }

    /// Ten pieces of uneven sizes and places, out of order.
    private static let pieces = [70_000, 3, 33_000, 4096, 12_288, 100, 50_001, 8191, 20_000, 60_007].enumerated().map {
        Piece(file: 0, offset: $0.offset * 7919 % 10 * 9001, byteCount: min($0.element, 150_000 - 90_000))
    }

    private func stream(
        _ file: PieceFile, _ ring: Ring, settings: ReadSettings? = ReadSettings(.direct, depth: 3),
        queue: (any ReadQueue)? = nil
    ) -> PieceStream {
        let queues =
            queue.map { queue in ReadQueues(direct: { queue }, buffered: { queue }) } ?? ReadQueues()
        return PieceStream(
            files: [file], pieces: Self.pieces, ring: ring.memory, owner: ring, settings: settings, queues: queues)
    }

    private func check(_ index: Int, of stream: PieceStream, _ file: TestFile) throws {
        let piece = Self.pieces[index]
        let bytes = try stream.take(index)
        #expect(Array(bytes) == Array(file.bytes[piece.offset..<piece.offset + piece.byteCount]), "piece \(index)")
        stream.release()
    }

    @Test(
        "pieces come in order, round after round, with their bytes",
        arguments: [ReadSettings.Method.direct, .buffered], [1, 3, 8])
    func rounds(method: ReadSettings.Method, depth: Int) throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 160_000)
        let stream = stream(try file.open(), ring, settings: ReadSettings(method, depth: depth))
        for _ in 0..<3 {
            for index in Self.pieces.indices { try check(index, of: stream, file) }
        }
        #expect(stream.statistics.usedBytes == 3 * Self.pieces.reduce(0) { $0 + $1.byteCount })
    }

    @Test("a kernel without io_uring costs nobody a descriptor")
    func noUring() {
        // More entries than any kernel has: refused as a sandbox would.
        for _ in 0..<3 { #expect(UringQueue(entryCount: .max) == nil) }
        #expect(fcntl(0, F_GETFD) != -1)
    }

    @Test("threads read the same as the kernel's own queue")
    func threads() throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 300_000)
        let stream = stream(try file.open(), ring, queue: ThreadQueue(threadCount: 3))
        for index in Self.pieces.indices { try check(index, of: stream, file) }
    }

    @Test("the way of reading is measured where that is not given, and gives the same bytes")
    func trials() throws {
        let file = try TestFile(byteCount: 6 << 20)
        let pieces = (0..<6).map { Piece(file: 0, offset: $0 << 20, byteCount: 1 << 20) }
        let ring = Ring(byteCount: 5 << 20)
        let stream = PieceStream(files: [try file.open()], pieces: pieces, ring: ring.memory, owner: ring)
        for _ in 0..<5 {
            for (index, piece) in pieces.enumerated() {
                let bytes = try stream.take(index)
                #expect(Array(bytes) == Array(file.bytes[piece.offset..<piece.offset + piece.byteCount]))
                stream.release()
            }
        }
        let found = try #require(stream.found)
        #expect(found.bytesPerSecond > 0)
        #expect(stream.settings == found.settings)
    }

    @Test("what was read through the page cache is given back")
    func pagesAreGivenBack() throws {
        let file = try TestFile(byteCount: 6 << 20)
        let pieces = (0..<6).map { Piece(file: 0, offset: $0 << 20, byteCount: 1 << 20) }
        let ring = Ring(byteCount: 3 << 20)
        // Written just now, all of it is in the page cache; brought to the disk, it can be dropped from there.
        let descriptor = open(file.path, O_RDONLY)
        fsync(descriptor)
        defer { close(descriptor) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        let stream = PieceStream(
            files: [try file.open()], pieces: pieces, ring: ring.memory, owner: ring,
            settings: ReadSettings(.buffered, depth: 2))
        stream.isRepeated = false
        for index in pieces.indices {
            _ = try stream.take(index)
            stream.release()
        }
        let mapping = try MappedFile(path: file.path)
        var pages = [UInt8](repeating: 0, count: mapping.byteCount / 4096)
        mincore(UnsafeMutableRawPointer(mutating: mapping.bytes.baseAddress!), mapping.byteCount, &pages)
        #expect(pages.count { $0 & 1 != 0 } < pages.count / 2)
    }

    @Test("a piece out of turn is read afresh, and the stream goes on from there")
    func outOfTurn() throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 200_000)
        let stream = stream(try file.open(), ring)
        for index in [0, 1, 5, 6, 2, 9, 0, 1, 9] { try check(index, of: stream, file) }
    }

    @Test("on demand, only what is asked for is read, in its order, and what was not taken is forgotten")
    func onDemand() throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 200_000)
        let stream = PieceStream.onDemand(
            files: [try file.open()], pieces: Self.pieces, ring: ring.memory, owner: ring)
        stream.ask(for: [7, 2, 5, 2])
        for index in [7, 2, 5, 2] { try check(index, of: stream, file) }
        stream.ask(for: [])
        stream.ask(for: [1, 0])
        try check(1, of: stream, file)
        stream.ask(for: [9, 3])
        for index in [9, 3] { try check(index, of: stream, file) }
        let taken = [7, 2, 5, 2, 1, 9, 3].reduce(0) { $0 + Self.pieces[$1].byteCount }
        #expect(stream.statistics.usedBytes == taken)
        #expect(stream.statistics.readBytes <= taken + Self.pieces[0].byteCount)
    }

    @Test("the optional end is left out of rounds that do not need it")
    func optionalEnd() throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 1 << 20)
        let queue = ScriptedQueue()
        let stream = stream(try file.open(), ring, queue: queue)
        stream.optionalFrom = 8
        stream.usesOptional = false
        for _ in 0..<3 {
            for index in 0..<8 { try check(index, of: stream, file) }
        }
        let optional = Set(Self.pieces[8...].map(\.alignedRange.lowerBound))
        let needed = Set(Self.pieces[..<8].map(\.alignedRange.lowerBound))
        #expect(!queue.reads.contains { optional.subtracting(needed).contains($0.offset) })
        stream.usesOptional = true
        for index in Self.pieces.indices { try check(index, of: stream, file) }
    }

    @Test("short reads are gone on with, and ends come in any order")
    func shortReads() throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 400_000)
        let queue = ScriptedQueue()
        queue.script = { read in read.byteCount > 4096 ? read.byteCount / 2 / 4096 * 4096 + 4096 : nil }
        queue.pick = { $0 - 1 }
        let stream = stream(try file.open(), ring, queue: queue)
        for _ in 0..<2 {
            for index in Self.pieces.indices { try check(index, of: stream, file) }
        }
        #expect(queue.reads.count > 2 * Self.pieces.count)
    }

    @Test("a read error names file, place and reason, and the next round reads on")
    func readError() throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 400_000)
        let queue = ScriptedQueue()
        let bad = Self.pieces[3]
        var isBroken = true
        queue.script = { read in isBroken && read.offset == bad.alignedRange.lowerBound ? -Int(EIO) : nil }
        let stream = stream(try file.open(), ring, queue: queue)
        for index in 0..<3 { try check(index, of: stream, file) }
        let error = try #require(throws: ModelFileError.self) { _ = try stream.take(3) }
        #expect(error.offset == bad.alignedRange.lowerBound)
        #expect("\(error)".contains("Input/output error"), "\(error)")
        isBroken = false
        for index in Self.pieces.indices { try check(index, of: stream, file) }
    }

    @Test(
        "a file that is cut while in use is an error, never other bytes", arguments: [0, 4096, 30_000],
        [ReadSettings.Method.direct, .buffered])
    func truncated(left: Int, method: ReadSettings.Method) throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 200_000)
        let stream = stream(try file.open(), ring, settings: ReadSettings(method, depth: 3))
        try check(0, of: stream, file)
        truncate(file.path, off_t(left))
        let error = try #require(throws: ModelFileError.self) {
            for index in 1..<Self.pieces.count {
                _ = try stream.take(index)
                stream.release()
            }
        }
        #expect("\(error)".contains("start again with the whole file"), "\(error)")
    }

    @Test("a file that is written to while in use is an error")
    func changed() throws {
        let file = try TestFile(byteCount: 150_000)
        let ring = Ring(byteCount: 200_000)
        let stream = stream(try file.open(), ring)
        try check(0, of: stream, file)
        let handle = try FileHandle(forWritingTo: URL(filePath: file.path))
        try handle.write(contentsOf: Data([1]))
        try handle.close()
        #expect(throws: ModelFileError.self) { _ = try stream.take(1) }
    }

    @Test("a file that was replaced since it was described is refused")
    func replaced() throws {
        let file = try TestFile(byteCount: 100)
        let mapped = try MappedFile(path: file.path)
        unlink(file.path)
        try Data(repeating: 7, count: 100).write(to: URL(filePath: file.path))
        let error = try #require(throws: ModelFileError.self) { _ = try PieceFile(mapped) }
        #expect(error.code == .mismatch)
    }
}
