import Testing

@testable import ModelFiles

@Suite("Safetensors files")
struct SafetensorsIndexTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var header: String
        var code: ModelFileError.Code
        var words: [String] = []
        var dataCount = 8
        var length: UInt64?
    }

    private static func tensor(
        _ name: String = "t", _ type: String = "F32", _ shape: String = "[2]", _ range: String = "[0,8]"
    )
        -> String
    {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(range)}"
    }

    static let cases: [Case] = [
        Case(testDescription: "a header longer than the file", header: "{}", code: .truncated, length: 1000),
        Case(testDescription: "a header above the limit", header: "{}", code: .limit, length: 100_000_001),
        Case(testDescription: "a header length beyond Int", header: "{}", code: .limit, length: .max),
        Case(testDescription: "an empty header", header: "{}", code: .truncated, length: 0),
        Case(testDescription: "a space before the brace", header: " {\(tensor())}", code: .malformed, words: ["`{`"]),
        Case(testDescription: "an array as header", header: "[\(tensor())]", code: .malformed),
        Case(testDescription: "a second value after the header", header: "{\(tensor())}{}", code: .malformed),
        Case(testDescription: "a tensor twice", header: "{\(tensor()),\(tensor())}", code: .duplicate, words: ["t"]),
        Case(
            testDescription: "a dtype twice", header: "{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", code: .malformed),
        Case(
            testDescription: "an unknown dtype", header: "{\(tensor("t", "F8_E4M3"))}", code: .unsupported,
            words: ["BF16"]),
        Case(testDescription: "no dtype", header: "{\"t\":{\"shape\":[2],\"data_offsets\":[0,8]}}", code: .missing),
        Case(testDescription: "an unknown field", header: "{\"t\":{\"x\":1}}", code: .malformed, words: ["x"]),
        Case(
            testDescription: "a number for metadata", header: "{\"__metadata__\":{\"a\":1},\(tensor())}",
            code: .malformed),
        Case(
            testDescription: "a metadata key twice", header: "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}",
            code: .duplicate),
        Case(testDescription: "a negative dimension", header: "{\(tensor("t", "F32", "[-2]"))}", code: .malformed),
        Case(testDescription: "half a dimension", header: "{\(tensor("t", "F32", "[2.5]"))}", code: .malformed),
        Case(
            testDescription: "a product that overflows",
            header: "{\(tensor("t", "F32", "[4294967296,4294967296]"))}", code: .malformed),
        Case(
            testDescription: "a product that overflows beside a zero",
            header: "{\(tensor("t", "F32", "[4294967296,4294967296,0]", "[0,0]"))}", code: .malformed),
        Case(
            testDescription: "nine dimensions", header: "{\(tensor("t", "F32", "[1,1,1,1,1,1,1,1,2]"))}",
            code: .malformed),
        Case(
            testDescription: "offsets in reverse", header: "{\(tensor("t", "F32", "[2]", "[8,0]"))}", code: .truncated),
        Case(
            testDescription: "offsets beyond the end", header: "{\(tensor("t", "F32", "[4]", "[0,16]"))}",
            code: .truncated),
        Case(
            testDescription: "an offset beyond Int",
            header: "{\(tensor("t", "F32", "[2]", "[0,9223372036854775808]"))}", code: .malformed),
        Case(testDescription: "three offsets", header: "{\(tensor("t", "F32", "[2]", "[0,8,8]"))}", code: .malformed),
        Case(testDescription: "a size that is not the shape's", header: "{\(tensor("t", "F16"))}", code: .mismatch),
        Case(
            testDescription: "an overlap",
            header: "{\(tensor("a", "F32", "[2]", "[0,8]")),\(tensor("b", "F32", "[1]", "[4,8]"))}",
            code: .mismatch, words: ["b"]),
        Case(
            testDescription: "a hole at the front", header: "{\(tensor("t", "F32", "[1]", "[4,8]"))}", code: .mismatch),
        Case(testDescription: "bytes after the last tensor", header: "{\(tensor())}", code: .mismatch, dataCount: 9),
        Case(testDescription: "a string that does not end", header: "{\"t", code: .malformed),
        Case(testDescription: "half a surrogate pair", header: "{\"\\ud800\":1}", code: .malformed),
        Case(
            testDescription: "nesting without end",
            header: "{\"t\":{\"shape\":" + String(repeating: "[", count: 100_000), code: .malformed),
    ]

    @Test("a broken file is refused", arguments: cases)
    func refuses(example: Case) throws {
        let bytes = SafetensorsBytes.file(
            header: example.header, dataCount: example.dataCount, length: example.length)
        let error = try #require(throws: ModelFileError.self) {
            try ModelFile.open(bytes: bytes, name: "broken.safetensors")
        }
        #expect(error.code == example.code, "\(error)")
        for word in example.words { #expect(error.description.contains(word), "\(error)") }
    }

    @Test("every truncation is refused")
    func truncations() throws {
        let bytes = SafetensorsBytes.tinyModel()
        for count in 0..<bytes.count {
            #expect(throws: ModelFileError.self) {
                try ModelFile.open(bytes: Array(bytes.prefix(count)), name: "cut.safetensors")
            }
        }
        #expect(try ModelFile.open(bytes: bytes, name: "whole.safetensors").tensors.count == 11)
    }

    @Test("tensors are listed in the order of their data")
    func order() throws {
        let header = "{\(Self.tensor("late", "F32", "[1]", "[4,8]")),\(Self.tensor("early", "I8", "[2,2]", "[0,4]"))}"
        let file = try ModelFile.open(bytes: SafetensorsBytes.file(header: header, dataCount: 8), name: "s.safetensors")
        #expect(file.tensors.map(\.name) == ["early", "late"])
        #expect(try file.view("early").row(1).elementsEqual([2, 3]))
    }
}
