import Foundation

/// Why a file is no report that can be read, in one line.
package struct BenchmarkReportError: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ place: String, _ problem: String) { description = "\(place): \(problem)" }
}

extension BenchmarkReport {
    /// More than any report has.
    private static let bytesMax = 64 << 20

    /// For people too: keys in order, one a line.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Reads what ``json()`` wrote.
    ///
    /// - Parameter name: of the file, for errors.
    package init(json data: Data, name: String) throws(BenchmarkReportError) {
        guard data.count <= Self.bytesMax else {
            throw BenchmarkReportError(name, "expected at most \(Self.bytesMax) bytes, got \(data.count)")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        struct Version: Decodable { var version: Int }
        do {
            let version = try decoder.decode(Version.self, from: data).version
            guard version == Self.versionWritten else {
                throw BenchmarkReportError(
                    name, "version: expected \(Self.versionWritten), got \(version); measure again with this program")
            }
            self = try decoder.decode(BenchmarkReport.self, from: data)
        } catch let error as BenchmarkReportError {
            throw error
        } catch let error as DecodingError {
            throw BenchmarkReportError(name, "expected the JSON that shard bench writes: \(error.oneLine)")
        } catch {
            throw BenchmarkReportError(name, "expected the JSON that shard bench writes: \(error)")
        }
        for result in results {
            let speed = result.tokensPerSecond
            guard speed.samples.count > 0, speed.low > 0, speed.low <= speed.median, speed.median <= speed.high,
                speed.high.isFinite
            else {
                throw BenchmarkReportError(
                    name, "\(result.model): \(result.test): tokens_per_second: expected positive speeds around a median"
                )
            }
        }
    }
}

extension DecodingError {
    fileprivate var oneLine: String {
        switch self {
        case .keyNotFound(let key, let context): "\(Self.path(context)) has no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(Self.path(context)): \(context.debugDescription)"
        @unknown default: "it cannot be read"
        }
    }

    private static func path(_ context: Context) -> String {
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        return path.isEmpty ? "the top" : path
    }
}
