import Foundation
import Logging
import ModelFiles
import Sharding
import Testing
import ZeroMQ

@testable import WeightTransfer

/// A new folder for one test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("shard-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A small seeded generator, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Bytes that stand for a tensor, and what asks for them.
struct SampleBlob: Sendable {
    let bytes: [UInt8]
    let hash: FileHash
    let wanted: WantedBlob

    init(byteCount: Int, seed: UInt64) {
        var generator = SplitMix(seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount + 8)
        while bytes.count < byteCount {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - byteCount)
        self.init(bytes, name: "tensor \(seed)")
    }

    init(_ bytes: [UInt8], name: String) {
        self.bytes = bytes
        hash = bytes.withUnsafeBytes { FileHash(of: $0) }
        wanted = WantedBlob(hash: hash, byteCount: bytes.count, name: name)
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension LoopSocket {
    /// Sends a frame, as soon as the queue takes it.
    func send(
        _ frame: [UInt8], more: Bool = false, in loop: SocketLoop, until end: ContinuousClock.Instant
    ) throws {
        var message = Message(frame)
        while try socket.send(&message, more: more) != .sent {
            try #require(ContinuousClock.now < end)
            try loop.wait(until: .now + .milliseconds(5))
        }
    }
}

extension TensorStore {
    /// Puts a whole blob into the store, as a fetch would.
    @discardableResult
    func put(_ blob: SampleBlob) throws -> StoreEntry {
        guard case .part(let part) = try write(blob.hash, byteCount: blob.bytes.count) else {
            throw WeightTransferError(.busy, place: "test", expected: "a part", got: "none")
        }
        try part.append(copying: blob.bytes[part.receivedBytes...])
        return try publish(part)
    }

    /// The front of a blob, as a fetch leaves it that was ended.
    func putFront(_ bytes: ArraySlice<UInt8>, of blob: SampleBlob) throws {
        guard case .part(let part) = try write(blob.hash, byteCount: blob.bytes.count) else { return }
        try part.append(copying: bytes)
    }

    /// Waits until the disk has all that was put there.
    func settle() throws {
        let end = ContinuousClock.now + .seconds(20)
        while !settling.isIdle {
            try #require(ContinuousClock.now < end, "the disk does not finish")
            sched_yield()
        }
    }
}

extension PartFile {
    // Swift 6.3's optimiser crashes on a closure over the array's own bytes here.
    func append(copying bytes: ArraySlice<UInt8>) throws {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        try append(UnsafeRawBufferPointer(copy))
    }
}

extension StoreEntry {
    var bytes: [UInt8] { Array(file.bytes) }
}
