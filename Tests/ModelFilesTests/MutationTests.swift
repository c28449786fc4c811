import Testing

@testable import ModelFiles

/// Changes bytes of good files at random, in ways that broke other readers.
struct Mutator {
    private(set) var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele et al. 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

    private static let extremes: [UInt64] = [
        0, 1, 2, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 61, 1 << 62, 1 << 63, .max, .max - 7,
    ]

    /// - Parameter head: bytes in which structure stands; most changes go there.
    mutating func mutate(_ source: [UInt8], head: Int) -> [UInt8] {
        var bytes = source
        for _ in 0...below(3) {
            guard !bytes.isEmpty else { return bytes }
            let place = below(min(below(8) == 0 ? bytes.count : head, bytes.count))
            switch below(7) {
            case 0: bytes[place] ^= 1 << UInt8(below(8))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 2: bytes.removeLast(bytes.count - place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(24)))
            case 4:
                let from = below(bytes.count)
                bytes.insert(contentsOf: Array(bytes[from..<min(bytes.count, from + 1 + below(64))]), at: place)
            case 5:
                let value = Self.extremes[below(Self.extremes.count)]
                for (index, byte) in GGUFBytes.little(value).prefix(below(2) == 0 ? 4 : 8).enumerated()
                where place + index < bytes.count {
                    bytes[place + index] = byte
                }
            default:
                // Digits and punctuation in JSON, and small counts in GGUF.
                let digits = Array("0123456789-,:[]{}\"\\e.".utf8)
                bytes[place] = digits[below(digits.count)]
            }
        }
        return bytes
    }
}

@Suite("Mutated files")
struct MutationTests {
    static let count = 20_000

    /// Reads everything that an accepted file hands out; the sum keeps the reading from being left out.
    private func readAll(_ file: ModelFile) throws -> Int {
        var sum = 0
        for tensor in file.tensors {
            let size = file.files[tensor.fileIndex].byteCount
            guard tensor.offset >= 0, tensor.byteCount >= 0, tensor.byteCount <= size,
                tensor.offset <= size - tensor.byteCount
            else { throw OutOfBounds(tensor: tensor.name) }
            let view = try file.view(tensor.name)
            for byte in view.bytes { sum &+= Int(byte) }
        }
        for entry in file.metadata.entries {
            guard let array = entry.value.arrayValue else { continue }
            sum &+= array.strings()?.count ?? array.integers()?.count ?? array.floats()?.count ?? 0
        }
        if let parameters = try? file.hyperparameters() { sum &+= parameters.headCount * parameters.headDim }
        _ = try? file.chatTemplates()
        return sum
    }

    private struct OutOfBounds: Error { var tensor: String }

    @Test(
        "20,000 mutations of a GGUF file are refused, or every byte that they name is there",
        arguments: [UInt64(20260801)])
    func gguf(seed: UInt64) throws {
        let source = GGUFBytes.tinyModel().bytes
        let head = try #require(try ModelFile.open(bytes: source, name: "m.gguf").tensors.first?.offset)
        var mutator = Mutator(seed: seed)
        var accepted = 0
        for index in 0..<Self.count {
            let bytes = mutator.mutate(source, head: head)
            do {
                _ = try readAll(try ModelFile.open(bytes: bytes, name: "m.gguf"))
                accepted += 1
            } catch is ModelFileError {
            } catch {
                Issue.record("seed \(seed), mutation \(index): \(error)")
            }
        }
        // Some changes hit values only; both kinds must occur, or the test tests nothing.
        #expect(accepted > Self.count / 100 && accepted < Self.count * 3 / 4, "\(accepted) accepted, seed \(seed)")
    }

    @Test(
        "20,000 mutations of a safetensors folder are refused, or every byte that they name is there",
        arguments: [UInt64(20260802)])
    func safetensors(seed: UInt64) throws {
        let weights = SafetensorsBytes.tinyModel()
        let config = Array(SafetensorsBytes.tinyConfig.utf8)
        let index = Array(
            #"{"metadata":{"total_size":1},"weight_map":{"model.norm.weight":"model-1.safetensors"}}"#.utf8)
        let head = 8 + Int(UInt64(littleEndian: weights.withUnsafeBytes { $0.load(as: UInt64.self) }))
        var mutator = Mutator(seed: seed)
        var accepted = 0
        for round in 0..<Self.count {
            // Each file of the folder in turn, the weights most often.
            var (one, other, list) = (weights, config, index)
            let isIndexed = round % 8 == 0
            switch round % 8 {
            case 0: list = mutator.mutate(index, head: index.count)
            case 1: other = mutator.mutate(config, head: config.count)
            default: one = mutator.mutate(weights, head: head)
            }
            let files =
                isIndexed
                ? ["config.json": other, "model-1.safetensors": one, "model.safetensors.index.json": list]
                : ["config.json": other, "model.safetensors": one]
            do {
                _ = try readAll(try ModelFile.open(folder: HuggingFaceFolder(name: "mutated", files: files)))
                accepted += 1
            } catch is ModelFileError {
            } catch {
                Issue.record("seed \(seed), mutation \(round): \(error)")
            }
        }
        #expect(accepted > Self.count / 100 && accepted < Self.count * 3 / 4, "\(accepted) accepted, seed \(seed)")
    }
}
