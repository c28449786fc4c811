import ModelFiles
import NIOCore
import Testing

@testable import Serving

@Suite("Request bodies as JSON")
struct RequestJSONTests {
    private func parse(_ text: String) throws(ServingError) -> JSONValue {
        try RequestJSON.parse(ByteBuffer(string: text))
    }

    @Test("values keep their kind")
    func values() throws {
        let value = try parse(
            #" {"a": [1, -2, 2.5, 1e2, true, false, null, {}], "b": "x\n\"\u00e9\ud83d\ude00", "c": 9007199254740993} "#
        )
        #expect(
            value
                == .object(
                    JSONObject([
                        "a": .array([
                            .integer(1), .integer(-2), .number(2.5), .number(100), .bool(true), .bool(false), .null,
                            .object(JSONObject()),
                        ]),
                        "b": .string("x\n\"é😀"), "c": .integer(9_007_199_254_740_993),
                    ])))
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", "{", "[1,", "[1 2]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "01", "-", "1.", "1e", "+1", "tru", "nul",
            "\"\\x\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u12\"", "\"\\u+123\"", "\"open", "\"\u{1}\"", "1 2",
            "1e999",
            "{\"a\":1,\"a\":2}", "NaN", "Infinity", "'a'", "[1]]", "\u{FEFF}1",
        ])
    func refused(text: String) {
        let error = #expect(throws: ServingError.self) { try parse(text) }
        #expect(error?.code == .invalidJSON)
    }

    @Test("every truncation is refused")
    func truncations() throws {
        let text = Array(#"{"messages": [{"role": "user", "content": "a\u00e9\n"}], "n": -1.5e3, "x": null}"#.utf8)
        _ = try RequestJSON.parse(ByteBuffer(bytes: text))
        for count in text.indices {
            #expect(throws: ServingError.self) { try RequestJSON.parse(ByteBuffer(bytes: text[..<count])) }
        }
    }

    @Test("bytes that are no UTF-8 are refused in strings")
    func notUnicode() {
        #expect(throws: ServingError.self) { try RequestJSON.parse(ByteBuffer(bytes: [0x22, 0xFF, 0x22])) }
    }

    @Test("64 levels are read, 65 are not, and a million brackets do no harm")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try parse(nested(64))
        #expect(throws: ServingError.self) { try parse(nested(65)) }
        #expect(throws: ServingError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
    }

    @Test("a body of too many values is refused")
    func count() {
        let text = "[" + String(repeating: "0,", count: FieldLimits.jsonValuesMax) + "0]"
        #expect(throws: ServingError.self) { try parse(text) }
    }
}
