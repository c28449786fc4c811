import Foundation

/// A new folder for one test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("shard-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Names in it, sorted.
    var entries: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// Models of the repository, by their place in it.
enum FixtureModel {
    static let demo = "Models/demo/demo-q8_0.gguf"
    static let demoFolder = "Models/demo/hf"
    static let llama = "Tests/Fixtures/conformance/models/llama/llama-f16.gguf"
    static let window = "Tests/Fixtures/conformance/models/mistral-window/hf"

    private static let knownFamilies = ["llama", "mistral", "qwen2", "qwen3"]

    static func path(_ place: String) -> String { repositoryRoot().appendingPathComponent(place).path }

    /// Every model of a known family, in both formats.
    static let all: [String] = {
        var places = [demo, "Models/demo/demo-f16.gguf", demoFolder]
        for folder in ["models", "quantized"] {
            let place = "Tests/Fixtures/conformance/\(folder)"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path(place))) ?? []
            for name in names.sorted() where knownFamilies.contains(where: name.hasPrefix) && !name.hasSuffix("moe") {
                let files = (try? FileManager.default.contentsOfDirectory(atPath: path("\(place)/\(name)"))) ?? []
                places += files.filter { $0.hasSuffix(".gguf") || $0 == "hf" }.map { "\(place)/\(name)/\($0)" }
            }
        }
        return places
    }()
}
