import ModelFiles
import Testing

@testable import Tokenizers

@Suite("Chat templates against references")
struct TemplateConformanceTests {
    @Test(
        "conversations are rendered as their goldens",
        arguments: ["chatml", "header-blocks", "im-tools", "inst-alternating"])
    func renders(_ name: String) throws {
        let folder = "\(Fixtures.conformance)/chat_templates"
        let goldens = try Fixtures.json("\(folder)/\(name).json")
        let template = try ChatTemplate(source: Fixtures.text("\(folder)/\(name).jinja"), name: name)
        let now = try #require(TemplateTime(iso8601: goldens.string("now")))
        for (place, entry) in try goldens.array("cases").enumerated() {
            guard case .map(let variables) = JinjaValue(try #require(entry["input"])) else { continue }
            if let expected = entry["expected"]?.stringValue {
                let rendered = try template.render(variables, now: now)
                #expect(rendered.unicodeScalars.elementsEqual(expected.unicodeScalars), "case \(place): \(rendered)")
            } else {
                let error = try #require(throws: TokenizerError.self) { try template.render(variables, now: now) }
                if entry["raised_by_template"]?.boolValue == true {
                    #expect(error.code == .raised)
                    #expect(error.message == entry["error"]?.stringValue, "case \(place)")
                }
            }
        }
    }
}
