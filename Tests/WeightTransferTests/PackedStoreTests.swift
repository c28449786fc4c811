import Foundation
import Sharding
import Testing

@testable import WeightTransfer

@Suite("Packed copies on disk")
struct PackedStoreTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "packed-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private let hash = FileHash(bytes: [UInt8](repeating: 7, count: 32))!
    private let tiles = (0..<5 * 100).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private func make(_ store: PackedStore) throws -> PackedEntry {
        let writing = try store.begin(tileBytes: 100, tileCount: 5)
        try tiles[..<200].withUnsafeBytes { try writing.append($0) }
        try tiles[200...].withUnsafeBytes { try writing.append($0) }
        return try store.finish(writing, as: hash)
    }

    private func path(_ store: PackedStore) -> String { "\(store.folder)/07/\(hash)" }

    @Test("what was made is found again, with a checksum for each tile")
    func roundTrip() throws {
        try withFolder { folder in
            let store = try PackedStore(folder: folder)
            #expect(try store.entry(hash, tileBytes: 100, tileCount: 5) == nil)
            let made = try make(store)
            let found = try #require(try store.entry(hash, tileBytes: 100, tileCount: 5))
            #expect(found.checks == made.checks && found.checks.count == 5 && Set(found.checks).count == 5)
            #expect(Array(found.file.bytes.prefix(500)) == tiles)
            #expect(try store.entry(hash, tileBytes: 50, tileCount: 10) == nil, "of other sizes")
        }
    }

    @Test("keys differ by tensor and by layout")
    func keys() throws {
        let other = try #require(FileHash(bytes: [UInt8](repeating: 8, count: 32)))
        let keys = [
            PackedStore.key(of: hash, layout: "cpu-1"), PackedStore.key(of: hash, layout: "cpu-2"),
            PackedStore.key(of: other, layout: "cpu-1"), hash,
        ]
        #expect(Set(keys).count == 4)
        #expect(keys[0] == PackedStore.key(of: hash, layout: "cpu-1"))
    }

    @Test("a copy that was cut, or whose end was changed, is none", arguments: [0, 1, 31, 32, 51, 52, 400, 551])
    func truncated(left: Int) throws {
        try withFolder { folder in
            let store = try PackedStore(folder: folder)
            _ = try make(store)
            truncate(path(store), off_t(left))
            #expect(try store.entry(hash, tileBytes: 100, tileCount: 5) == nil)
        }
    }

    @Test("every changed byte behind the tiles is noticed", arguments: 500..<552)
    func damagedEnd(place: Int) throws {
        try withFolder { folder in
            let store = try PackedStore(folder: folder)
            _ = try make(store)
            var bytes = try Data(contentsOf: URL(filePath: path(store)))
            #expect(bytes.count == 552)
            bytes[place] ^= 0x10
            try bytes.write(to: URL(filePath: path(store)))
            #expect(try store.entry(hash, tileBytes: 100, tileCount: 5) == nil)
        }
    }

    @Test("one that is not finished leaves nothing; one that a dead process left is removed")
    func abandoned() throws {
        try withFolder { folder in
            let store = try PackedStore(folder: folder)
            do {
                let writing = try store.begin(tileBytes: 100, tileCount: 5)
                try tiles[..<100].withUnsafeBytes { try writing.append($0) }
                // As long as it is written, another process leaves it alone.
                _ = try PackedStore(folder: folder)
                #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).count == 1)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).isEmpty)
            try Data([1]).write(to: URL(filePath: "\(store.folder)/making-x"))
            _ = try PackedStore(folder: folder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).isEmpty)
        }
    }

    @Test("copies are listed, and cleared when nobody reads them")
    func clearing() throws {
        try withFolder { folder in
            let store = try PackedStore(folder: folder)
            do {
                let entry = try make(store)
                let listing = store.list()
                #expect(listing.items.map(\.hash) == [hash] && listing.items.first?.isInUse == true)
                #expect(store.clear().inUseCount == 1)
                withExtendedLifetime(entry) {}
            }
            #expect(store.clear(unusedSince: Date(timeIntervalSinceNow: -3600)).removedCount == 0)
            #expect(store.clear().removedCount == 1)
            #expect(store.list().items.isEmpty)
        }
    }
}
