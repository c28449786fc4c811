import Foundation
import ModelFiles
import Models
import Sharding
import Synchronization
import Testing

@testable import WeightTransfer

@Suite("Models without their files")
struct StoredModelTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let paths = [
        "Models/demo/demo-q8_0.gguf", "Models/demo/hf", "Tests/Fixtures/conformance/models/qwen2/qwen2-f32.gguf",
        "Tests/Fixtures/conformance/models/qwen3/hf",
    ]

    static func open(_ path: String) throws -> ModelFile { try ModelFile.open(root.appending(path: path).path) }

    @Test("a description says all that a loader asks of a model", arguments: paths)
    func described(path: String) throws {
        let model = try Self.open(path)
        let hashes = try TensorHashes(cacheFolder: nil).hashes(of: model, threadCount: 2)
        let description = try ModelDescription(of: model, hashes: hashes)
        let (_, bytes) = try description.blob()
        let read = try bytes.withUnsafeBytes { try ModelDescription(decoding: $0) }
        #expect(read == description)
        #expect(try ModelDescription(of: model, hashes: hashes).encoded() == bytes)
        let stored = try StoredModel(read).model
        let spec = try ModelSpec(describing: stored)
        #expect(try spec == ModelSpec(describing: model))
        #expect(stored.tensors.map(\.name) == model.tensors.map(\.name))
        #expect(stored.tensors.map(\.shape) == model.tensors.map(\.shape))
        #expect(stored.tensors.map(\.byteCount) == model.tensors.map(\.byteCount))
        try spec.validate(against: stored)
        for tensor in model.tensors {
            #expect(hashes[tensor.name] == FileHash(of: model.bytes(of: tensor)))
        }
        #expect(stored.metadata["tokenizer.ggml.tokens"] == nil)
        #expect(bytes.count < 200_000)
    }

    @Test("the bytes of a tensor that was not fetched are an error by name", arguments: paths)
    func missing(path: String) throws {
        let model = try Self.open(path)
        let hashes = try TensorHashes(cacheFolder: nil).hashes(of: model, threadCount: 1)
        let stored = try StoredModel(ModelDescription(of: model, hashes: hashes)).model
        let spec = try ModelSpec(describing: stored)
        let name = spec.layers[0].attention.query.weight
        let error = #expect(throws: ModelFileError.self) { try stored.view(name) }
        #expect(error?.description.contains("\(name): expected its") == true)
        let tensor = try #require(stored.tensor(name))
        #expect(!stored.holds(tensor))
        #expect(stored.bytes(of: tensor).isEmpty)
        // Vectors of norms are small: they travel with the description.
        #expect(
            try stored.view(spec.layers[0].inputNorm.weight).bytes.elementsEqual(
                model.view(spec.layers[0].inputNorm.weight).bytes))
    }

    @Test("a worker gets the description, then its layers, and has the same bytes as the file", arguments: paths)
    func layers(path: String) throws {
        let model = try Self.open(path)
        let loopback = try Loopback()
        let hashes = try TensorHashes(cacheFolder: nil).hashes(of: model, threadCount: 2)
        let (hash, bytes) = try ModelDescription(of: model, hashes: hashes).blob()
        loopback.offer.add(bytes, name: "description")
        loopback.offer.add(model, hashes: hashes)
        func fetch(_ wanted: [WantedBlob]) throws -> [FileHash: StoreEntry] {
            let arrived = Recorder<StoreEntry>()
            _ = try WeightFetch(
                wanted, from: [loopback.source], into: loopback.store, context: loopback.context, logger: quiet,
                handlers: WeightFetch.Handlers(onReady: { _, entry in arrived.add(entry) })
            ).join()
            return Dictionary(arrived.values.map { ($0.hash, $0) }, uniquingKeysWith: { first, _ in first })
        }
        let entry = try #require(try fetch([WantedBlob(hash: hash, byteCount: bytes.count, name: "description")])[hash])
        let described = try StoredModel(decoding: entry)
        let spec = try ModelSpec(describing: described.model)
        let parts = ModelParts(of: described.model, as: spec)
        let chosen = parts.layers[1..<2].flatMap { $0 } + parts.head + parts.shared
        let stored = try described.adding(fetch(described.wanted(chosen)))
        try spec.validate(against: stored.model, layers: 1..<2, hasEmbedding: false)
        for tensor in chosen {
            #expect(try stored.model.view(tensor.name).bytes.elementsEqual(model.view(tensor.name).bytes))
        }
        #expect(throws: ModelFileError.self) { try stored.model.view(spec.layers[0].feedForward.firstWeight) }
    }

    @Test("hashes of an unchanged file are remembered, those of a changed one computed anew")
    func remembered() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/model.gguf"
        try FileManager.default.copyItem(atPath: Self.root.appending(path: Self.paths[0]).path, toPath: path)
        // Old enough for its times to tell changes.
        let hour = timespec(tv_sec: time(nil) - 3600, tv_nsec: 0)
        #expect(utimensat(AT_FDCWD, path, [hour, hour], 0) == 0)
        let hashing = TensorHashes(cacheFolder: folder.path + "/cache")
        let computed = Recorder<Int>()
        func hashes() throws -> [String: FileHash] {
            try hashing.hashes(of: ModelFile.open(path), threadCount: 2) { done, _ in
                computed.add(done)
                return true
            }
        }
        // The time of change of a file that was just copied is too young to be trusted.
        let end = ContinuousClock.now + .seconds(20)
        var first = try hashes()
        while try FileManager.default.contentsOfDirectory(atPath: folder.path).contains("cache") == false {
            try #require(ContinuousClock.now < end)
            first = try hashes()
        }
        let count = computed.values.count
        #expect(try hashes() == first)
        #expect(computed.values.count == count)
        let tensor = try #require(try ModelFile.open(path).tensors.last)
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try handle.seek(toOffset: UInt64(tensor.offset))
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(tensor.offset))
        try handle.write(contentsOf: Data([byte ^ 1]))
        try handle.close()
        let changed = try hashes()
        #expect(computed.values.count > count)
        #expect(changed[tensor.name] != first[tensor.name])
        #expect(changed.filter { $0.value != first[$0.key] }.count == 1)
    }

    @Test("hashing ends when it is asked to")
    func cancelled() throws {
        let model = try Self.open(Self.paths[0])
        let error = #expect(throws: WeightTransferError.self) {
            try TensorHashes(cacheFolder: nil).hashes(of: model, threadCount: 2) { _, _ in false }
        }
        #expect(error?.code == .cancelled)
    }

    @Test("pieces that do not fit each other are refused")
    func assembly() throws {
        let vector = MappedFile(bytes: [UInt8](repeating: 0, count: 8), name: "v")
        func assemble(_ pieces: [ModelFile.Piece]) throws -> ModelFile {
            try ModelFile.assemble(name: "m", format: .safetensors, pieces: pieces)
        }
        let good = ModelFile.Piece(name: "v", type: .f32, shape: [2], file: vector)
        #expect(try assemble([good]).view("v").bytes.count == 8)
        #expect(throws: ModelFileError.self) { try assemble([good, good]) }
        #expect(throws: ModelFileError.self) {
            try assemble([ModelFile.Piece(name: "v", type: .f32, shape: [3], file: vector)])
        }
        #expect(throws: ModelFileError.self) {
            try assemble([ModelFile.Piece(name: "v", type: .q8_0, shape: [3], file: nil)])
        }
        #expect(throws: ModelFileError.self) {
            try ModelFile.assemble(name: "m", format: .gguf, metadata: vector, pieces: [])
        }
        #expect(throws: WeightTransferError.self) {
            try StoredModel(
                ModelDescription(format: .safetensors, name: "m", config: Array("{".utf8), tensors: []))
        }
    }
}

extension FeedForwardSpec {
    var firstWeight: String {
        switch self {
        case .gated(let spec): spec.gate.weight
        case .experts(let spec): spec.router.weight
        }
    }
}
