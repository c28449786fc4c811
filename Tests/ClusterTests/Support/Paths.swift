import Foundation

/// Models of the repository, and the programs that were built beside the tests.
enum Paths {
    static let root: URL = {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
            precondition(folder.path != "/", "the tests lie inside the package")
            folder.deleteLastPathComponent()
        }
        return folder
    }()

    static let demoFolder = root.appending(path: "Models/demo")
    static let demo = demoFolder.appending(path: "demo-f16.gguf")

    static func program(_ name: String) throws -> URL {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: own).deletingLastPathComponent().appending(path: name)
    }

    /// Calls `body` with an empty folder, and removes it.
    static func withFolder<Value>(_ body: (URL) async throws -> Value) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cluster-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder)
    }

    /// Whether a process of that number is there; one that ended and was not waited for counts as gone.
    static func isRunning(_ processID: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let state = stat.split(separator: ")").last?.split(separator: " ").first
        else { return false }
        return state != "Z" && state != "X"
    }

    /// Waits, at most ten seconds, for processes to go.
    static func waitForEnd(of processIDs: [Int32]) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while processIDs.contains(where: isRunning) {
            guard ContinuousClock.now < deadline else { return false }
            await Task.yield()
        }
        return true
    }
}
