import Foundation
import ModelFiles
import Tensors

/// Everything that a benchmark found, as `--json` writes it and `--against` reads it.
///
/// Names become snake case: `tokens_per_second`. Fields may be added to version 1, none change their meaning.
package struct BenchmarkReport: Sendable, Hashable, Codable {
    package struct Machine: Sendable, Hashable, Codable {
        /// As its maker names it.
        package var cpu: String
        /// That the process may use.
        package var cores: Int
        /// The instruction set that computed.
        package var kernels: String
        package var os: String

        package init(cpu: String, cores: Int, kernels: String, os: String) {
            self.cpu = cpu
            self.cores = cores
            self.kernels = kernels
            self.os = os
        }
    }

    package struct Result: Sendable, Hashable, Codable {
        /// File or folder.
        package var model: String
        /// Of the model's files.
        package var bytes: Int
        /// `q8_0 99.7 %, f32 0.3 %`, by bytes.
        package var types: String
        package var mode: BenchmarkMode
        package var threads: Int
        package var kvType: String
        /// `generate 128 at depth 8192`.
        package var test: String
        /// Tokens of the prompt; 0 in tests of generation.
        package var prompt: Int
        /// Tokens that each sequence generates; 0 in tests of prompts.
        package var generate: Int
        package var depth: Int
        package var sequences: Int
        /// Of all sequences together.
        package var tokensPerSecond: Spread
        /// Of the limit, at the median; nil where no limits were measured.
        package var share: Double?
        package var limit: LimitShare.Limit?
        /// Bytes that memory must give for each token at least.
        package var bytesPerToken: Double
        package var peakBytes: Int?
        /// Of weights that are read from disk; nil where all stay in memory.
        package var disk: Disk?
    }

    /// What the disk did in the runs of a test.
    package struct Disk: Sendable, Hashable, Codable {
        package var readBytesPerToken: Double
        /// Bytes a second while tokens were timed.
        package var read: Spread
        /// The best that the disk gave on the same file between those runs.
        package var limit: Spread
        /// Time that the bytes alone take at that rate ÷ the time that the tokens took; the median of the runs.
        package var share: Double
        /// Part of the time in which nothing could be computed because weights were not there; the median.
        package var waitedShare: Double

        /// - Parameter seconds: of the same runs.
        init?(_ uses: [DiskUse], seconds: [Double], tokenCount: Double) {
            guard !uses.isEmpty, uses.count == seconds.count, uses.allSatisfy({ $0.readBytes > 0 }) else { return nil }
            let runs = zip(uses, seconds)
            readBytesPerToken = Spread(uses.map { Double($0.readBytes) / tokenCount }).median
            read = Spread(runs.map { Double($0.readBytes) / $1 })
            limit = Spread(uses.map(\.bytesPerSecondMax))
            share = Spread(runs.map { Double($0.readBytes) / $0.bytesPerSecondMax / $1 }).median
            waitedShare = Spread(runs.map { $0.waitedSeconds / $1 }).median
        }
    }

    package static let versionWritten = 1

    package var version: Int
    package var machine: Machine
    /// By threads; empty where they were not measured.
    package var limits: [ThreadLimits]
    package var results: [Result]

    package init(machine: Machine, limits: [ThreadLimits], results: [Result] = []) {
        version = Self.versionWritten
        self.machine = machine
        self.limits = limits
        self.results = results
    }
}

/// A model in a mode with some threads, as results name it.
package struct SubjectDescription: Sendable, Hashable {
    package var model: String
    package var bytes: Int
    package var types: String
    package var mode: BenchmarkMode
    package var threads: Int
    package var kvType: String

    package init(model: String, bytes: Int, types: String, mode: BenchmarkMode, threads: Int, kvType: String) {
        self.model = model
        self.bytes = bytes
        self.types = types
        self.mode = mode
        self.threads = threads
        self.kvType = kvType
    }
}

extension BenchmarkReport.Result {
    /// - Parameters:
    ///   - outcomes: of at least one run that counts.
    ///   - limits: of the subject's threads; nil where they were not measured.
    package init(
        _ subject: SubjectDescription, _ test: BenchmarkTest, _ outcomes: BenchmarkDriver.Outcomes, work: Work,
        limits: ThreadLimits?
    ) {
        let tokenCount = Double(test.tokenCountTotal)
        let speed = Spread(outcomes.seconds.map { tokenCount / $0 })
        let share = limits?.share(of: work, seconds: tokenCount / speed.median)
        self.init(
            model: subject.model, bytes: subject.bytes, types: subject.types, mode: subject.mode,
            threads: subject.threads, kvType: subject.kvType, test: test.name,
            prompt: test.kind == .prompt ? test.tokenCount : 0,
            generate: test.kind == .generate ? test.tokenCount : 0, depth: test.depth, sequences: test.sequenceCount,
            tokensPerSecond: speed, share: share?.share, limit: share?.limit,
            bytesPerToken: work.bytes / tokenCount, peakBytes: outcomes.peakBytes,
            disk: BenchmarkReport.Disk(outcomes.disk, seconds: outcomes.seconds, tokenCount: tokenCount))
    }
}

extension SubjectDescription {
    /// The types of all tensors by their share of the bytes, most first.
    package static func types(of file: ModelFile) -> String {
        let bytes = Dictionary(grouping: file.tensors, by: \.type).map { type, tensors in
            (name: type.name, bytes: tensors.reduce(0) { $0 + $1.byteCount })
        }.sorted { ($1.bytes, $0.name) < ($0.bytes, $1.name) }
        let total = max(1, bytes.reduce(0) { $0 + $1.bytes })
        return bytes.map { String(format: "%@ %.1f %%", $0.name, 100 * Double($0.bytes) / Double(total)) }
            .joined(separator: ", ")
    }
}
