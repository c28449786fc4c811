import Foundation

@testable import Measuring

enum Fixtures {
    /// Folder of Package.swift.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func limit(_ perSecond: Double) -> ThreadLimits.Limit {
        ThreadLimits.Limit(perSecond: Spread([perSecond]), loop: "a loop")
    }

    static let limits = ThreadLimits(threads: 2, read: limit(100), integer: limit(1000), float: limit(500))

    static func result(
        _ model: String = "a.gguf", mode: BenchmarkMode = .simple, threads: Int = 2,
        test: BenchmarkTest = BenchmarkTest(.generate, tokenCount: 4), seconds: [Double] = [2, 1, 4],
        limits: ThreadLimits? = limits
    ) -> BenchmarkReport.Result {
        BenchmarkReport.Result(
            SubjectDescription(
                model: model, bytes: 1000, types: "q8_0 99.0 %, f32 1.0 %", mode: mode, threads: threads, kvType: "f16"),
            test, BenchmarkDriver.Outcomes(seconds: seconds, peakBytes: 5000),
            work: Work(bytes: 60, integerOperations: 10, floatOperations: 0), limits: limits)
    }

    static func report(_ results: [BenchmarkReport.Result] = [result()]) -> BenchmarkReport {
        BenchmarkReport(
            machine: BenchmarkReport.Machine(cpu: "A Processor", cores: 2, kernels: "scalar", os: "Linux 1.0"),
            limits: [limits], results: results)
    }
}
