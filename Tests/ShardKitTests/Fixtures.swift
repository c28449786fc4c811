import Foundation
import ShardKit

/// Models beside the tests and at the top of the repository.
enum Fixtures {
    /// Folder of Package.swift.
    static let root: URL = {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
            precondition(folder.path != "/", "the tests lie inside the package")
            folder.deleteLastPathComponent()
        }
        return folder
    }()

    /// Tiny, with random weights.
    static let tiny = root.appending(path: "Tests/Fixtures/conformance/models/llama/llama-f16.gguf")
    static let tinyFolder = root.appending(path: "Tests/Fixtures/conformance/models/llama/hf")
    /// Trained.
    static let demo = root.appending(path: "Models/demo/demo-f16.gguf")

    static let options = RunnerOptions(threads: 1, contextLength: 64, cacheType: .f32)

    /// Calls `body` with a path where nothing is, and removes what it made there.
    static func withFolder<Value>(_ body: (URL) async throws -> Value) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shardkit-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder)
    }
}
