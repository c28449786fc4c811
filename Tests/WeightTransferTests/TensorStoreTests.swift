import Foundation
import Sharding
import Testing

@testable import WeightTransfer

@Suite("Store of tensors")
struct TensorStoreTests {
    let folder: TemporaryFolder
    let store: TensorStore

    init() throws {
        folder = try TemporaryFolder()
        store = try TensorStore(cacheFolder: folder.path)
    }

    private func open(limit: Int? = nil) throws -> TensorStore {
        try TensorStore(cacheFolder: folder.path, byteLimit: limit)
    }

    /// Sets when a blob was used last.
    private func age(_ blob: SampleBlob, hours: Double, in store: TensorStore? = nil) {
        let time = Date(timeIntervalSinceNow: -3600 * hours).timeIntervalSince1970
        let times = [timeval(tv_sec: Int(time), tv_usec: 0), timeval(tv_sec: Int(time), tv_usec: 0)]
        utimes((store ?? self.store).path(blob.hash), times)
    }

    @Test("what was put there is found by hash, in a folder that only its owner may enter")
    func roundTrip() throws {
        let blob = SampleBlob(byteCount: 100_000, seed: 1)
        #expect(try store.entry(blob.hash, byteCount: blob.bytes.count) == nil)
        #expect(try store.put(blob).bytes == blob.bytes)
        #expect(try store.entry(blob.hash, byteCount: blob.bytes.count)?.bytes == blob.bytes)
        #expect(store.path(blob.hash).hasSuffix("/tensors/\(blob.hash.description.prefix(2))/\(blob.hash)"))
        var status = stat()
        #expect(stat(store.folder, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
    }

    @Test("an entry of another length is not used, and goes")
    func wrongLength() throws {
        let blob = SampleBlob(byteCount: 5000, seed: 2)
        try store.put(blob)
        try store.settle()
        #expect(chmod(store.path(blob.hash), 0o600) == 0)
        #expect(truncate(store.path(blob.hash), 4999) == 0)
        #expect(chmod(store.path(blob.hash), 0o400) == 0)
        #expect(try store.entry(blob.hash, byteCount: 5000) == nil)
        #expect(!FileManager.default.fileExists(atPath: store.path(blob.hash)))
    }

    @Test("what the disk may not have whole is hashed before it is used again")
    func unsettled() throws {
        let blobs = [SampleBlob(byteCount: 5000, seed: 3), SampleBlob(byteCount: 5000, seed: 4)]
        for blob in blobs { try store.put(blob) }
        try store.settle()
        for blob in blobs { #expect(chmod(store.path(blob.hash), 0o600) == 0) }
        let zeros = try FileHandle(forWritingTo: URL(fileURLWithPath: store.path(blobs[1].hash)))
        try zeros.write(contentsOf: Data(count: 100))
        try zeros.close()
        #expect(try store.entry(blobs[0].hash, byteCount: 5000)?.bytes == blobs[0].bytes)
        #expect(try store.entry(blobs[1].hash, byteCount: 5000) == nil)
        var status = stat()
        #expect(stat(store.path(blobs[0].hash), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o400)
    }

    @Test("a full cache makes room by the least recent use, and never takes what is in use")
    func eviction() throws {
        let blobs = (10..<14).map { SampleBlob(byteCount: 64 << 10, seed: $0) }
        let store = try open(limit: 3 * 64 << 10)
        for blob in blobs[..<3] { try store.put(blob) }
        try store.settle()
        age(blobs[0], hours: 3)
        age(blobs[1], hours: 2)
        age(blobs[2], hours: 1)
        // Using the oldest makes it the newest; holding the next one keeps it.
        #expect(try store.entry(blobs[0].hash, byteCount: 64 << 10) != nil)
        let other = try open(limit: 3 * 64 << 10)
        let held = try other.entry(blobs[1].hash, byteCount: 64 << 10)
        age(blobs[1], hours: 2)
        try store.put(blobs[3])
        let there = blobs.map { FileManager.default.fileExists(atPath: store.path($0.hash)) }
        #expect(there == [true, true, false, true])
        #expect(held?.bytes == blobs[1].bytes)
    }

    @Test("a cache whose tensors are all in use refuses more in one line, with the sum and what to do")
    func full() throws {
        let blobs = (20..<22).map { SampleBlob(byteCount: 64 << 10, seed: $0) }
        let store = try open(limit: 100_000)
        let held = try store.put(blobs[0])
        let error = #expect(throws: WeightTransferError.self) { try store.put(blobs[1]) }
        #expect(error?.code == .cacheFull)
        let line = error?.description ?? ""
        for words in [store.folder, "65536 bytes", "of 100000 allowed", "shard cache clear", "--cache"] {
            #expect(line.contains(words), "\(line)")
        }
        #expect(!line.contains("\n"))
        #expect(held.bytes == blobs[0].bytes)
        // Nothing that could be taken for a tensor is left.
        #expect(try store.entry(blobs[1].hash, byteCount: 64 << 10) == nil)
    }

    @Test("a part has one writer; the next one goes on where it stopped")
    func parts() throws {
        let blob = SampleBlob(byteCount: 10_000, seed: 30)
        let other = try open()
        try {
            guard case .part(let part) = try store.write(blob.hash, byteCount: 10_000) else { return }
            try part.append(copying: blob.bytes[..<4000])
            guard case .busy(let receivedBytes) = try other.write(blob.hash, byteCount: 10_000) else {
                Issue.record("a second writer was let in")
                return
            }
            #expect(receivedBytes == 4000)
        }()
        guard case .part(let part) = try other.write(blob.hash, byteCount: 10_000) else {
            Issue.record("the part is not free")
            return
        }
        #expect(part.receivedBytes == 4000)
        try part.append(copying: blob.bytes[4000...])
        #expect(try other.publish(part).bytes == blob.bytes)
        guard case .entry(let entry) = try store.write(blob.hash, byteCount: 10_000) else {
            Issue.record("the tensor is not there")
            return
        }
        #expect(entry.bytes == blob.bytes)
    }

    @Test("a part that is not finished gives back the room that it does not use")
    func roomGivenBack() throws {
        let blob = SampleBlob(byteCount: 10_000, seed: 33)
        guard case .part(let part) = try store.write(blob.hash, byteCount: 64 << 20) else { return }
        #expect(try part.reserve())
        try part.append(copying: blob.bytes[...])
        part.giveBack()
        let status = try part.file.status()
        #expect(status.st_size == 10_000)
        #expect(status.st_blocks * 512 < 1 << 20)
    }

    @Test("a part that is longer than its tensor starts over")
    func longPart() throws {
        let blob = SampleBlob(byteCount: 1000, seed: 31)
        try store.putFront(blob.bytes[..<900], of: blob)
        #expect(truncate(store.path(blob.hash) + ".part", 5000) == 0)
        guard case .part(let part) = try store.write(blob.hash, byteCount: 1000) else { return }
        #expect(part.receivedBytes == 0)
    }

    @Test("another process's lock keeps a tensor")
    func otherProcess() throws {
        let blob = SampleBlob(byteCount: 1000, seed: 32)
        try store.put(blob)
        try store.settle()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        process.arguments = ["-s", store.path(blob.hash), "cat"]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        // It echoes once it holds the lock.
        try input.fileHandleForWriting.write(contentsOf: Data("locked\n".utf8))
        #expect(output.fileHandleForReading.availableData.count == 7)
        #expect(store.clear() == StoreClearing(removedCount: 0, removedBytes: 0, inUseCount: 1))
        #expect(store.list().items.map(\.isInUse) == [true])
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        #expect(cleared(store) == 1)
    }

    @Test("a listing shows what is whole, partly there and in use; clearing keeps what is young or in use")
    func maintenance() throws {
        let blobs = (40..<44).map { SampleBlob(byteCount: 2000, seed: $0) }
        for blob in blobs[..<3] { try store.put(blob) }
        try store.settle()
        try store.putFront(blobs[3].bytes[..<500], of: blobs[3])
        for (index, blob) in blobs[..<3].enumerated() { age(blob, hours: Double(24 * (index + 1))) }
        let held = try store.entry(blobs[2].hash, byteCount: 2000)
        age(blobs[2], hours: 72)
        var listing = store.list()
        let deadline = ContinuousClock.now + .seconds(10)
        while listing.items.count(where: \.isInUse) != 1, ContinuousClock.now < deadline { listing = store.list() }
        #expect(listing.items.map(\.hash) == [blobs[3].hash, blobs[0].hash, blobs[1].hash, blobs[2].hash])
        #expect(listing.items.map(\.isPart) == [true, false, false, false])
        #expect(listing.items.map(\.isInUse) == [false, false, false, true])
        #expect(listing.items.map(\.byteCount) == [500, 2000, 2000, 2000])
        #expect(listing.usedBytes >= 6500)
        let clearing = store.clear(unusedSince: Date(timeIntervalSinceNow: -36 * 3600))
        #expect((clearing.removedCount, clearing.inUseCount) == (1, 1))
        #expect(store.list().items.map(\.hash) == [blobs[3].hash, blobs[0].hash, blobs[2].hash])
        #expect(held?.bytes == blobs[2].bytes)
    }

    @Test("verifying removes what is not what its name says")
    func verification() throws {
        let blobs = (50..<53).map { SampleBlob(byteCount: 3000, seed: $0) }
        for blob in blobs { try store.put(blob) }
        try store.settle()
        try store.putFront([1, 2, 3], of: SampleBlob(byteCount: 10, seed: 54))
        let path = store.path(blobs[1].hash)
        #expect(chmod(path, 0o600) == 0)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: Data([blobs[1].bytes[0] ^ 1]))
        try handle.close()
        #expect(chmod(path, 0o400) == 0)
        var last = (0, 0)
        let found = try store.verify { last = ($0, $1) }
        #expect(found == StoreVerification(goodCount: 2, goodBytes: 6000, bad: [blobs[1].hash], partCount: 1))
        #expect(last == (9000, 9000))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("a folder that others may write to is refused")
    func permissions() throws {
        #expect(chmod(store.folder, 0o770) == 0)
        let error = #expect(throws: WeightTransferError.self) { try open() }
        #expect(error?.description.contains("mode 770") == true)
        #expect(chmod(store.folder, 0o700) == 0)
    }

    /// How many tensors a clearing removes, once no child of this process that was about to run a program holds locks.
    private func cleared(_ store: TensorStore) -> Int {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let clearing = store.clear()
            if clearing.inUseCount == 0 || ContinuousClock.now > deadline { return clearing.removedCount }
            sched_yield()
        }
    }

    @Test("files that are none of the store's are left alone")
    func strangers() throws {
        let blob = SampleBlob(byteCount: 100, seed: 60)
        try store.put(blob)
        let parent = "\(store.folder)/\(blob.hash.description.prefix(2))"
        for name in ["notes.txt", "\(blob.hash.description.prefix(2))x", "\(blob.hash).tmp"] {
            try Data([1]).write(to: URL(fileURLWithPath: "\(parent)/\(name)"))
        }
        #expect(store.list().items.count == 1)
        #expect(cleared(store) == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent).count == 3)
    }
}
