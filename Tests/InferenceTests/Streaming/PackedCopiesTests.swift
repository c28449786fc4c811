import Devices
import Foundation
import Sharding
import Tensors
import Testing
import WeightTransfer

@testable import Inference

@Suite("Packed copies of weights")
struct PackedCopiesTests {
    private func copies(_ stored: StoredTestModel, _ folder: URL) throws -> PackedCopies {
        try PackedCopies(
            stored.tensors.model, stored.model.spec,
            parts: [(0..<stored.model.spec.layers.count, true)], store: try PackedStore(folder: folder.path),
            hashes: TensorHashes(cacheFolder: folder.path), device: try CPUDevice(CPUDeviceOptions(threads: 2)))
    }

    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "copies-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test("logits are those of the model's own weights, whatever stays", arguments: ElementType.computed)
    func everyType(type: ElementType) throws {
        try withFolder { folder in
            let stored = try StoredTestModel(TestModel(type))
            var copies = try copies(stored, folder)
            #expect(copies.neededBytes > 0)
            try copies.make { _, _ in }
            let tensors = try copies.streamedTensors()
            let tokens = stored.model.tokens(11)
            let expected = try stored.model.chain(contextLength: 256).allLogits(tokens, chunk: 11)
            let allBytes = try stored.plan(pinnedBytesMax: .max).pinnedBytes
            for pinnedBytesMax in [0, allBytes / 2, allBytes] {
                let chain = try stored.chain(pinnedBytesMax: pinnedBytesMax, tensors: tensors)
                for chunk in [1, 11] {
                    #expect(bitDifferences(try chain.allLogits(tokens, chunk: chunk), expected) == 0, "\(chunk)")
                }
            }
        }
    }

    @Test("experts of one tensor have one copy, and each its part of it")
    func experts() throws {
        try withFolder { folder in
            let stored = try StoredTestModel(TestModel(.q4_K, sizes: .mixture(for: .q4_K)))
            var copies = try copies(stored, folder)
            let promised = copies.neededBytes
            try copies.make { _, _ in }
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            let bytes = try files.reduce(0) { sum, name in
                let path = folder.appending(path: name).path
                let isFile = name.hasPrefix("packed/") && name.count > 60
                return try sum + (isFile ? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0 : 0)
            }
            #expect(bytes > 0 && bytes <= promised)
            let tensors = try copies.streamedTensors()
            let tokens = stored.model.tokens(11)
            let expected = try stored.model.chain(contextLength: 256).allLogits(tokens, chunk: 11)
            let allBytes = try stored.plan(pinnedBytesMax: .max).pinnedBytes
            for pinnedBytesMax in [0, allBytes * 2 / 3, allBytes] {
                let chain = try stored.chain(pinnedBytesMax: pinnedBytesMax, tensors: tensors)
                #expect(bitDifferences(try chain.allLogits(tokens, chunk: 4), expected) == 0, "\(pinnedBytesMax)")
            }
        }
    }

    @Test("copies are made once, whoever asks, and their hashes are remembered")
    func once() throws {
        try withFolder { folder in
            let stored = try StoredTestModel(TestModel(.q4_0))
            // So recent a file could change again without its times showing it.
            usleep(150_000)
            var first = try copies(stored, folder)
            var done = 0
            try first.make { bytes, total in done = bytes * 100 / total }
            #expect(done == 100)
            let second = try copies(stored, folder)
            #expect(second.neededBytes == 0)
        }
    }

    @Test("a damaged tile fails the step and names the matrix")
    func damaged() throws {
        try withFolder { folder in
            let stored = try StoredTestModel(TestModel(.q4_0))
            var copies = try copies(stored, folder)
            try copies.make { _, _ in }
            let tensors = try copies.streamedTensors()
            let chain = try stored.chain(pinnedBytesMax: 0, tensors: tensors)
            let file = try #require(
                FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
                    .first { $0.lastPathComponent.count == 64 })
            // The time of the change is set back: only the checksum can tell.
            let date = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
            var status = stat()
            stat(file.path, &status)
            let handle = try FileHandle(forWritingTo: file)
            try handle.seek(toOffset: 10)
            try handle.write(contentsOf: Data([0xAA, 0x55]))
            try handle.close()
            var times = [status.st_atim, status.st_mtim]
            utimensat(AT_FDCWD, file.path, &times, 0)
            #expect(date != nil)
            let error = try #require(throws: InferenceError.self) { _ = try chain.greedy([1, 2, 3], count: 1) }
            #expect(error.description.contains("packed copy"), "\(error)")
            #expect(error.description.contains("shard cache clear"), "\(error)")
        }
    }

    @Test("work that is stopped leaves what is whole, and goes on from there")
    func stopped() throws {
        try withFolder { folder in
            let stored = try StoredTestModel(TestModel(.q8_0))
            usleep(150_000)
            var first = try copies(stored, folder)
            let needed = first.neededBytes
            #expect(throws: InferenceError.self) {
                try first.make { done, total throws(InferenceError) in
                    if done > total / 2 { throw InferenceError(.weights, place: "test", "was cancelled") }
                }
            }
            let whole = try PackedStore(folder: folder.path).list().items.count
            #expect(whole > 0)
            var second = try copies(stored, folder)
            #expect(second.neededBytes <= needed)
            try second.make { _, _ in }
            #expect(try PackedStore(folder: folder.path).list().items.count > whole)
        }
    }
}
