/// Paths of the models that the tests read.
enum Fixtures {
    /// The folder that holds Package.swift.
    static let root: String = {
        var components = #filePath.split(separator: "/")
        components.removeLast(3)
        return "/" + components.joined(separator: "/")
    }()
    static let conformance = root + "/Tests/Fixtures/conformance"
    static let demo = root + "/Models/demo"

    static func model(_ name: String, _ file: String = "hf") -> String { "\(conformance)/models/\(name)/\(file)" }
}
