import Testing

@testable import ModelFiles

@Suite("GGUF files")
struct GGUFIndexTests {
    /// One broken file, what its error must be about, and a word that it must say.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var code: ModelFileError.Code
        var words: [String]

        init(_ name: String, _ code: ModelFileError.Code, _ words: [String], _ change: (inout GGUFBytes) -> Void) {
            var file = GGUFBytes.tinyModel()
            change(&file)
            testDescription = name
            bytes = file.bytes
            self.code = code
            self.words = words
        }
    }

    private static func array(of type: UInt32, count: UInt64, _ rest: [UInt8] = []) -> [UInt8] {
        GGUFBytes.little(type) + GGUFBytes.little(count) + rest
    }

    static let cases: [Case] = [
        Case("version 1", .unsupported, ["version", "2 or 3"]) { $0.version = 1 },
        Case("version 4", .unsupported, ["version", "2 or 3"]) { $0.version = 4 },
        Case("big-endian", .unsupported, ["big-endian"]) { $0.version = 3 << 24 },
        Case("endless keys", .limit, ["metadata count", "\(UInt64.max)"]) { $0.keyCount = .max },
        Case("endless tensors", .limit, ["tensor count"]) { $0.tensorCount = 1 << 63 },
        Case("more tensors than the file has room for", .limit, ["tensor count"]) { $0.tensorCount = 1000 },
        Case("a key twice", .duplicate, ["llama.block_count", "byte"]) { $0.key("llama.block_count", 1) },
        Case("a tensor twice", .duplicate, ["output_norm.weight"]) {
            $0.tensor("output_norm.weight", sizes: [8], byteCount: 32)
        },
        Case("an unknown metadata type", .unsupported, ["x", "13", "uint8"]) { $0.key("x", type: 13, []) },
        Case("an array of arrays", .unsupported, ["x", "array of arrays"]) {
            $0.key("x", type: 9, array(of: 9, count: 1, array(of: 0, count: 0)))
        },
        Case("an array longer than the file", .limit, ["x"]) { $0.key("x", type: 9, array(of: 10, count: 1 << 40)) },
        Case("an array whose bytes overflow", .limit, ["x"]) { $0.key("x", type: 9, array(of: 12, count: 1 << 61)) },
        Case("a string longer than the file", .truncated, ["x"]) { $0.key("x", type: 8, GGUFBytes.little(UInt64.max)) },
        Case("a truth value of 2", .malformed, ["x", "0 or 1"]) { $0.key("x", type: 7, [2]) },
        Case("an empty key", .limit, ["metadata key"]) { $0.key("", 1) },
        Case("alignment 24", .malformed, ["general.alignment", "power of two"]) { $0.key("general.alignment", 24) },
        Case("alignment 0", .malformed, ["general.alignment"]) { $0.key("general.alignment", 0) },
        Case("alignment beyond the file", .truncated, ["rope_freqs"]) { $0.key("general.alignment", 1 << 31) },
        Case("a long name", .limit, ["tensor name", "63"]) {
            $0.tensor(String(repeating: "n", count: 64), sizes: [1], byteCount: 4)
        },
        Case("five dimensions", .limit, ["t", "dimensions"]) { $0.tensor("t", sizes: [1, 1, 1, 1, 1], byteCount: 4) },
        Case("a huge dimension count", .limit, ["t"]) {
            $0.tensor("t", sizes: [1], byteCount: 4, dimensionCount: .max)
        },
        Case("no dimensions", .limit, ["t"]) { $0.tensor("t", sizes: [], byteCount: 4) },
        Case("a dimension of 0", .malformed, ["t"]) { $0.tensor("t", sizes: [8, 0], byteCount: 0) },
        Case("a dimension that is negative as Int64", .malformed, ["t"]) {
            $0.tensor("t", sizes: [.max], byteCount: 4)
        },
        Case("an element count that overflows", .malformed, ["t"]) {
            $0.tensor("t", sizes: [1 << 31, 1 << 31, 4], byteCount: 4)
        },
        Case("a byte count that overflows", .malformed, ["t"]) {
            $0.tensor("t", sizes: [1 << 31, 1 << 30, 1], byteCount: 4)
        },
        Case("an exabyte", .truncated, ["t"]) { $0.tensor("t", sizes: [1 << 58], byteCount: 4) },
        Case("half a block", .malformed, ["t", "32"]) { $0.tensor("t", sizes: [16], type: 2, byteCount: 9) },
        Case("an unknown element type", .unsupported, ["t", "200", "q4_k"]) {
            $0.tensor("t", sizes: [1], type: 200, byteCount: 4)
        },
        Case("a removed element type", .unsupported, ["t", "31"]) {
            $0.tensor("t", sizes: [32], type: 31, byteCount: 18)
        },
        Case("an overlap", .mismatch, ["t", "offset"]) { $0.tensor("t", sizes: [1], byteCount: 4, offset: 0) },
        Case("a gap", .mismatch, ["t", "offset"]) { $0.tensor("t", sizes: [1], byteCount: 4, offset: 1 << 40) },
        Case("data beyond the end", .truncated, ["t", "download"]) { $0.tensor("t", sizes: [64], byteCount: 4) },
    ]

    @Test("a broken file is refused by key and reason", arguments: cases)
    func refuses(example: Case) throws {
        let error = try #require(throws: ModelFileError.self) {
            try ModelFile.open(bytes: example.bytes, name: "broken.gguf")
        }
        #expect(error.code == example.code, "\(error)")
        for word in example.words { #expect(error.description.contains(word), "\(error)") }
        #expect(error.description.hasPrefix("broken.gguf: ") && !error.description.contains("\n"))
    }

    @Test("every truncation is refused")
    func truncations() throws {
        let bytes = GGUFBytes.tinyModel().bytes
        for count in 0..<bytes.count {
            #expect(throws: ModelFileError.self) {
                try ModelFile.open(bytes: Array(bytes.prefix(count)), name: "cut.gguf")
            }
        }
        #expect(try ModelFile.open(bytes: bytes, name: "whole.gguf").tensors.count == 12)
    }

    @Test("metadata keep their types, and arrays stay in the file")
    func metadata() throws {
        var builder = GGUFBytes.tinyModel()
        builder.key("n.u8", type: 0, [200])
        builder.key("n.i8", type: 1, [200])
        builder.key("n.i64", type: 11, GGUFBytes.little(Int64.min))
        builder.key("n.u64", type: 10, GGUFBytes.little(UInt64.max))
        builder.key("n.f64", type: 12, GGUFBytes.little(Double(1.5).bitPattern))
        builder.key("n.bools", type: 9, Self.array(of: 7, count: 2, [1, 0]))
        builder.key(
            "n.numbers", type: 9, Self.array(of: 5, count: 2, GGUFBytes.little(Int32(-7)) + GGUFBytes.little(Int32(7))))
        let metadata = try ModelFile.open(bytes: builder.bytes, name: "m.gguf").metadata
        #expect(metadata["n.u8"]?.integerValue == 200 && metadata["n.i8"]?.integerValue == -56)
        #expect(metadata["n.i64"]?.integerValue == .min && metadata["n.u64"]?.integerValue == nil)
        #expect(metadata["n.f64"]?.numberValue == 1.5)
        #expect(metadata["n.bools"]?.arrayValue?.bools() == [true, false])
        #expect(try metadata.integers("n.numbers") == [-7, 7])
        #expect(try metadata.strings("tokenizer.ggml.tokens") == ["a", "b", "c", "dd", "é", ""])
        #expect(try metadata.floats("tokenizer.ggml.scores")?.count == 6)
        #expect(throws: ModelFileError.self) { try metadata.integer("n.u64", in: 0...Int.max) }
        #expect(throws: ModelFileError.self) { try metadata.string("n.u8") }
        #expect(metadata.entries.first?.key == "general.architecture")
    }
}
