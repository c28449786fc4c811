import Testing

@testable import ModelFiles

@Suite("JSON")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text, file: "t.json") }

    @Test("values of every kind are read")
    func values() throws {
        let value = try parse(#" {"a": [1, -2.5e1, true, false, null, "x\n\u00e9\ud83d\ude00"], "b": {}} "#)
        let array = try #require(value["a"]?.arrayValue)
        #expect(array == [.integer(1), .number(-25), .bool(true), .bool(false), .null, .string("x\né😀")])
        #expect(value["b"]?.objectValue?.count == 0 && value["c"] == nil)
        #expect(try parse("9223372036854775808").numberValue == 9_223_372_036_854_775_808)
        #expect(try parse("-Infinity").numberValue == -.infinity)
        #expect(try parse("40.0").integerValue == 40 && parse("40.5").integerValue == nil)
    }

    @Test("keys keep their order and are compared by bytes")
    func keys() throws {
        let many = (0..<100).map { "\"k\($0)\": \($0)" }.joined(separator: ",")
        let object = try #require(try parse("{\(many), \"\u{e9}\": 1, \"e\u{301}\": 2}").objectValue)
        #expect(object.keys.prefix(3) == ["k0", "k1", "k2"] && object["k77"] == .integer(77))
        #expect(object["\u{e9}"] == .integer(1) && object["e\u{301}"] == .integer(2))
        #expect(try #require(throws: ModelFileError.self) { try parse("{\(many), \"k3\": 0}") }.code == .duplicate)
        #expect(try #require(throws: ModelFileError.self) { try parse(#"{"a": 0, "a": 0}"#) }.code == .duplicate)
    }

    @Test(
        "texts that are no JSON are refused",
        arguments: [
            "", " ", "{", "[", "[1,]", "{,}", "{\"a\"}", "{\"a\":}", "{1:2}", "01", "-", "1.", "1e", ".5", "+1", "tru",
            "nul",
            "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\n\"", "[1 2]", "1 2", "'a'", "[1}",
        ])
    func refuses(text: String) {
        #expect(throws: ModelFileError.self) { try parse(text) }
    }

    @Test("nesting has a limit", arguments: ["[", "{\"a\":"])
    func nesting(open: String) throws {
        let error = try #require(throws: ModelFileError.self) { try parse(String(repeating: open, count: 1_000_000)) }
        #expect(error.code == .limit)
        let depth = JSONReader.depthMax
        _ = try parse(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
    }

    @Test("bytes that are no UTF-8 are refused")
    func bytes() {
        let bytes: [UInt8] = [0x22, 0xFF, 0x22]
        #expect(throws: ModelFileError.self) {
            try bytes.withUnsafeBytes { try JSONValue(parsing: $0, file: "t.json") }
        }
    }
}
