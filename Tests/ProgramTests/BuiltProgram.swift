import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// One of the three programs, as the build left it beside the tests.
enum BuiltProgram: String, CaseIterable, Sendable {
    case shard
    case coordinator = "shard-coordinator"
    case worker = "shard-worker"

    struct Output: Sendable {
        var exitCode: Int32
        var stdout: String
        var stderr: String

        var errorLines: [Substring] { stderr.split(separator: "\n") }
    }

    private static let outputBytesMax = 16 << 20

    static let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

    /// The folder that holds Package.swift.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Runs it in the project's folder until it ends.
    func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) async throws -> Output {
        let changes = environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) }
        let result = try await Subprocess.run(
            .path(FilePath(Self.folder.appending(path: rawValue).path)), arguments: Arguments(arguments),
            environment: .inherit.updating(Dictionary(uniqueKeysWithValues: changes)),
            workingDirectory: FilePath(Self.root.path), input: .string(input),
            output: .string(limit: Self.outputBytesMax), error: .string(limit: Self.outputBytesMax))
        let code: Int32
        switch result.terminationStatus {
        case .exited(let status): code = Int32(status)
        case .signaled(let signal): code = -Int32(signal)
        }
        return Output(exitCode: code, stdout: result.standardOutput, stderr: result.standardError)
    }
}
