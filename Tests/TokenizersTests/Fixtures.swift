import ModelFiles
import Testing

@testable import Tokenizers

/// Files beside the tests, found from this one.
enum Fixtures {
    /// The folder of the package.
    static let package: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()

    static let conformance = package + "/Tests/Fixtures/conformance"

    static func json(_ path: String) throws -> JSONValue {
        try JSONValue(parsing: MappedFile(path: path))
    }

    static func text(_ path: String) throws -> String { try MappedFile(path: path).text() }
}

extension JSONValue {
    func array(_ key: String) throws -> [JSONValue] { try #require(self[key]?.arrayValue) }
    func string(_ key: String) throws -> String { try #require(self[key]?.stringValue) }
    func ids(_ key: String) throws -> [Int32] { try array(key).map { Int32(try #require($0.integerValue)) } }
}
