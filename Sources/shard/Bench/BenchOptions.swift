import ArgumentParser
import Devices
import Measuring
import Terminal

/// Modes as an argument: `simple,distributed`.
struct ModeList: ExpressibleByArgument {
    var modes: [BenchmarkMode]

    init(_ modes: [BenchmarkMode]) { self.modes = modes }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        modes = parts.compactMap { BenchmarkMode(rawValue: String($0)) }
        guard modes.count == parts.count else { return nil }
    }

    var defaultValueDescription: String { modes.map(\.rawValue).joined(separator: ",") }
    static var allValueStrings: [String] { BenchmarkMode.allCases.map(\.rawValue) }
}

enum LimitChoice: String, CaseIterable, ExpressibleByArgument {
    case full, quick, off

    var effort: LimitEffort? {
        switch self {
        case .full: .full
        case .quick: .quick
        case .off: nil
        }
    }
}

/// What is measured.
struct BenchOptions: ParsableArguments {
    @Option(help: "Counts of threads, one after the other; by default one count: a thread for each core.")
    var threads: NumberList?

    @Option(help: "Tokens of prompts; 0 leaves prompts out.")
    var prompt = NumberList([512])

    @Option(help: "Tokens to generate; 0 leaves generation out.")
    var generate = NumberList([128])

    @Option(help: "Tokens that are in the cache before.")
    var depth = NumberList([0])

    @Option(help: "Sequences that generate at once.")
    var sequences = NumberList([1])

    @Option(
        help:
            "How models are run, side by side: simple, memory-efficient (read from disk), distributed (over two workers)."
    )
    var mode = ModeList([.simple])

    @Option(
        help: ArgumentHelp(
            "All the memory that mode memory-efficient may take, such as 2GiB; by default what is free, less 1 GiB.",
            valueName: "bytes"))
    var memoryBudget: ByteCount?

    @Option(help: "Times that each test counts.")
    var repetitions = 5

    @Option(help: "Times before that do not count.")
    var warmUp = 1

    @Flag(inversion: .prefixedNo, help: "Run A B C A B C, so that what else the machine does meets all alike.")
    var interleave = true

    @Option(help: "Type of cached keys and values: f32, f16 or q8_0.")
    var kvType: CacheType = .f16

    @Option(help: ArgumentHelp("Cores to pin threads to: 0-3,8", valueName: "list"))
    var cpus: CoreList?

    @Option(help: "How long to look for the machine's limits: full, quick or off.")
    var limits: LimitChoice = .full

    private static let tokensMax = 1 << 24
    private static let sequencesMax = 256

    func validate() throws {
        try threads?.check("--threads", 1...CPUDeviceOptions.threadsMax)
        try prompt.check("--prompt", 0...Self.tokensMax)
        try generate.check("--generate", 0...Self.tokensMax)
        try depth.check("--depth", 0...Self.tokensMax)
        try sequences.check("--sequences", 1...Self.sequencesMax)
        try NumberList([repetitions]).check("--repetitions", 1...10_000)
        try NumberList([warmUp]).check("--warm-up", 0...1000)
        if memoryBudget != nil, !mode.modes.contains(.memoryEfficient) {
            throw ValidationError("--memory-budget: expected --mode memory-efficient beside it")
        }
        if tests.isEmpty { throw ValidationError("--prompt, --generate: expected a test, got none but 0") }
        if let cpus {
            let allowed = MachineFiles().allowedCPUs
            if let wrong = cpus.cores.first(where: { !allowed.contains($0) }) {
                throw ValidationError(
                    "--cpus: expected cores that this process may use (\(allowed.map(String.init).joined(separator: ","))), "
                        + "got \(wrong)")
            }
        }
    }

    var tests: [BenchmarkTest] {
        BenchmarkAxes(
            prompts: prompt.numbers, generations: generate.numbers, depths: depth.numbers,
            sequenceCounts: sequences.numbers
        ).tests
    }

    /// Each once, in the order given.
    var threadCounts: [Int] {
        let counts = threads?.numbers ?? [cpus.map(\.cores.count) ?? CPUDeviceOptions.defaultThreads]
        return counts.enumerated().filter { !counts[..<$0.offset].contains($0.element) }.map(\.element)
    }
}

/// Where results go beside the table, and what they are compared with.
struct BenchFileOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write everything as JSON; - is stdout, instead of the table.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write a line for each result; - is stdout, instead of the table.", valueName: "file"))
    var csv: String?

    @Option(help: ArgumentHelp("Draw bars with their spreads: an SVG file.", valueName: "file"))
    var plot: String?

    @Option(help: ArgumentHelp("Compare with the JSON of an earlier run.", valueName: "file"))
    var against: String?

    @Option(help: ArgumentHelp("Take the JSON of an earlier run instead of measuring.", valueName: "file"))
    var from: String?

    /// Whether stdout is for a program.
    var writesToOutput: Bool { json == "-" || csv == "-" }

    func validate() throws {
        if json == "-", csv == "-" { throw ValidationError("--json, --csv: expected one on stdout, got both") }
        if let plot, !plot.hasSuffix(".svg") {
            throw ValidationError("--plot: expected a file whose name ends with .svg, got \(plot)")
        }
    }
}
