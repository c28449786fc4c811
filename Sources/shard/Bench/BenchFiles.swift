import Foundation
import Measuring
import Terminal

/// The files of a benchmark.
enum BenchFiles {
    static func read(_ path: String) throws -> BenchmarkReport {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw ProgramError(.configuration, "\(path): cannot be read; expected the JSON that shard bench writes")
        }
        do {
            return try BenchmarkReport(json: data, name: path)
        } catch {
            throw ProgramError(.configuration, error.description)
        }
    }

    /// Fails for files that could not be written in the end, before anything takes long.
    static func checkWritable(_ paths: [String?]) throws {
        for case let path? in paths where path != "-" { try ResultFile(path: path).discard() }
    }

    /// - Parameter path: `-` is stdout; nil writes nothing.
    static func write(_ text: String, to path: String?) throws {
        guard let path else { return }
        if path == "-" { return StandardOutput.write(raw: text) }
        let file = try ResultFile(path: path)
        do {
            try file.append(text)
            try file.commit()
        } catch {
            file.discard()
            throw error
        }
    }
}
