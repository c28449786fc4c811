import Testing
import Yams

@testable import Coordinator

@Suite("Written YAML")
struct YAMLTreeTests {
    static let ownTexts = ["", "\n", " \n x", "a\n\n", "\t", "a\r\nb", String(repeating: "long ", count: 200)]

    @Test(
        "a text is read back as that text",
        arguments: SampleDeployment.hostileTexts + SampleDeployment.brokenTexts + ownTexts)
    func roundTrip(_ text: String) throws {
        let value = YAMLTree.text(text)
        let map = YAMLTree.mapping([YAMLTree.Entry(key: text, value: "value")])
        let tree: YAMLTree = ["first": value, "list": [value], "map": map]
        // A text ends where YAML's library sees its end in C.
        guard !text.contains("\0") else { return }
        let written = try YAMLTree.file(head: [text], [tree])
        let node = try #require(try Yams.compose(yaml: written))
        #expect(node["first"]?.scalar?.string == text)
        #expect(node["first"]?.tag == Tag(.str))
        #expect(node["list"]?.sequence?.first?.scalar?.string == text)
        #expect(node["map"]?.mapping?.first?.key.scalar?.string == text)
        #expect(node.mapping?.count == 3)
    }

    @Test("numbers and flags are read back as such, and what has no value is left out")
    func scalars() throws {
        let absent: YAMLTree? = nil
        let tree: YAMLTree = ["number": -5, "flag": true, "absent": absent, "empty": [:], "none": []]
        let text = try YAMLTree.file(head: [], [tree])
        #expect(text == "number: -5\nflag: true\nempty: {}\nnone: []\n")
    }

    @Test("documents stand one after the other, keys in the order given")
    func documents() throws {
        let text = try YAMLTree.file(head: ["one", ""], [["b": 1, "a": 2], ["c": 3]])
        #expect(text == "# one\n#\nb: 1\na: 2\n---\nc: 3\n")
    }
}
