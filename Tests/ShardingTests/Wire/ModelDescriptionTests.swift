import ModelFiles
import Testing

@testable import Sharding

@Suite("Descriptions of models")
struct ModelDescriptionTests {
    private static let small: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    static let gguf = ModelDescription(
        format: .gguf, name: "demo.gguf", metadata: [0x47, 0x47, 0x55, 0x46],
        tensors: [
            ModelDescription.Tensor(
                name: "blk.0.attn_q.weight", type: .q8_0, shape: [3, 64], sha256: WireSamples.hash),
            ModelDescription.Tensor(
                name: "rope_freqs.weight", type: .f32, shape: [2], sha256: small.withUnsafeBytes { FileHash(of: $0) },
                content: small),
        ])

    static let safetensors = ModelDescription(
        format: .safetensors, name: "demo", config: Array("{}".utf8), generationConfig: [],
        tensors: [ModelDescription.Tensor(name: "é", type: .bf16, shape: [], sha256: WireSamples.hash)])

    private func read(_ bytes: [UInt8]) throws -> ModelDescription {
        try bytes.withUnsafeBytes { try ModelDescription(decoding: $0) }
    }

    @Test("a description arrives as it was, and always in the same bytes", arguments: [gguf, safetensors])
    func roundTrip(description: ModelDescription) throws {
        let bytes = try description.encoded()
        #expect(try read(bytes) == description)
        #expect(try read(bytes).encoded() == bytes)
    }

    @Test("every truncation and every byte more is refused", arguments: [gguf, safetensors])
    func truncations(description: ModelDescription) throws {
        let bytes = try description.encoded()
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try read(Array(bytes[..<count])) }
        }
        #expect(throws: WireError.self) { try read(bytes + [0]) }
    }

    @Test("any bytes are read or refused, never a trap", arguments: [1, 2, 3])
    func fuzz(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        for description in [Self.gguf, Self.safetensors] {
            let bytes = try description.encoded()
            for _ in 0..<5000 {
                var damaged = bytes
                for _ in 0...generator.next() % 3 {
                    damaged[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
                }
                _ = try? read(damaged)
            }
        }
    }

    private func expectRefusal(of field: String, _ change: (inout ModelDescription) -> Void) throws {
        var description = Self.gguf
        change(&description)
        let bytes = try description.encoded()
        let error = #expect(throws: WireError.self) { try read(bytes) }
        #expect(error?.field == field)
    }

    @Test("fields outside their range are refused by name")
    func fields() throws {
        try expectRefusal(of: "name") { $0.name = "../demo.gguf" }
        try expectRefusal(of: "name") { $0.name = "" }
        try expectRefusal(of: "metadata") { $0.metadata = [] }
        try expectRefusal(of: "config") { $0.config = [] }
        try expectRefusal(of: "generation_config") { $0.generationConfig = [] }
        try expectRefusal(of: "tensors.name") { $0.tensors[0].name = "" }
        try expectRefusal(of: "tensors.name") { $0.tensors[0].name = String(repeating: "x", count: 1025) }
        try expectRefusal(of: "tensors.name") { $0.tensors[0].name = $0.tensors[1].name }
        try expectRefusal(of: "tensors.shape") { $0.tensors[0].shape = [3, 63] }
        try expectRefusal(of: "tensors.shape") { $0.tensors[0].shape = [1 << 40, 1 << 40] }
        try expectRefusal(of: "tensors.shape") { $0.tensors[0].shape = [.max, 32] }
        try expectRefusal(of: "tensors.shape") { $0.tensors[0].shape = Array(repeating: 1, count: 8) + [32] }
        try expectRefusal(of: "tensors.content") { $0.tensors[1].content = [1, 2, 3, 4, 5, 6, 7] }
        try expectRefusal(of: "tensors.content") { $0.tensors[1].content = [1, 2, 3, 4, 5, 6, 7, 9] }
        try expectRefusal(of: "tensors.content") {
            $0.tensors[0].shape = [4097]
            $0.tensors[0].type = .i8
            $0.tensors[0].content = [UInt8](repeating: 0, count: 4097)
        }
        var other = Self.safetensors
        other.metadata = [1]
        #expect(throws: WireError.self) { try read(try other.encoded()) }
    }

    @Test("more tensors than its head says, or fewer, are refused")
    func counts() throws {
        let bytes = try Self.gguf.encoded()
        var record: [UInt8] = [0, 0, 0, 0]
        #expect(throws: WireError.self) { try read(bytes + record) }
        record = [255, 255, 255, 255]
        #expect(throws: WireError.self) { try read(record + bytes) }
        #expect(throws: WireError.self) { try read([]) }
    }
}
