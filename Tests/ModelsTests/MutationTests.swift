import Foundation
import Testing

@testable import ModelFiles
@testable import Models

@Suite("Descriptions of mutated files")
struct MutationTests {
    private static let count = 4000

    private static let extremes: [UInt64] = [
        0, 1, 2, 3, 7, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 62, 1 << 63, .max,
    ]

    /// Puts extreme numbers and random bytes over the metadata of a file, whose names stay mostly whole.
    private func mutate(_ source: [UInt8], head: Int, _ random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = source
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 24..<head - 8, using: &random)
            let value = Self.extremes.randomElement(using: &random) ?? 0
            let size = [1, 4, 8].randomElement(using: &random) ?? 1
            for index in 0..<size { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
        }
        return bytes
    }

    @Test(
        "a description is refused or agrees with its tensors",
        arguments: zip(["qwen2/qwen2-f32.gguf", "qwen3/qwen3-bf16.gguf"], [UInt64(11), 12]))
    func gguf(path: String, seed: UInt64) throws {
        let source = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Fixtures.conformance)/models/\(path)")))
        let whole = try ModelFile.open(bytes: source, name: "m.gguf")
        let head = try #require(whole.tensors.first?.offset)
        // The numbers stand before the vocabulary; the tensors' sizes at the end of the head.
        let numbers = 1200
        var random = SeededGenerator(state: seed)
        var accepted = 0
        for index in 0..<Self.count {
            let bytes = mutate(source, head: index % 2 == 0 ? numbers : head, &random)
            do {
                let file = try ModelFile.open(bytes: bytes, name: "m.gguf")
                let spec = try ModelSpec(describing: file)
                try spec.validate(against: file)
                let parts = ModelParts(of: file, as: spec)
                #expect(parts.layers.count == spec.layers.count)
                _ = spec.layers.map { $0.stateBytesPerToken(.f16) }
                accepted += 1
            } catch is ModelFileError {
            } catch is ModelError {
            } catch {
                Issue.record("seed \(seed), mutation \(index): \(error)")
            }
        }
        #expect(accepted > 0 && accepted < Self.count, "\(accepted) accepted, seed \(seed)")
    }

    @Test("numbers of a configuration are refused or agree with the tensors", arguments: [UInt64(13)])
    func config(seed: UInt64) throws {
        let folder = Fixtures.model("qwen2")
        let config = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/config.json")))
        let weights = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/model.safetensors")))
        var random = SeededGenerator(state: seed)
        var accepted = 0
        let digits = Array("0123456789-.e".utf8)
        for index in 0..<Self.count {
            var bytes = config
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let places = bytes.indices.filter { (0x30...0x39).contains(bytes[$0]) }
                let place = places.randomElement(using: &random) ?? 0
                let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                    digits.randomElement(using: &random) ?? 48
                }
                bytes.replaceSubrange(place...place, with: text)
            }
            do {
                let file = try ModelFile.open(
                    folder: HuggingFaceFolder(name: "m", files: ["config.json": bytes, "model.safetensors": weights]))
                let spec = try ModelSpec(describing: file)
                try spec.validate(against: file)
                accepted += 1
            } catch is ModelFileError {
            } catch is ModelError {
            } catch {
                Issue.record("seed \(seed), mutation \(index): \(error)")
            }
        }
        #expect(accepted > 0 && accepted < Self.count, "\(accepted) accepted, seed \(seed)")
    }
}

/// SplitMix64 (Steele et al. 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
