import ArgumentParser
import Foundation
import LoadTesting
import Sharding
import Terminal

/// A time as an argument: `500ms`, `60s`, `10m`.
struct DurationArgument: ExpressibleByArgument {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let duration = ConfigurationScalar.duration(argument), duration > .zero else { return nil }
        self.duration = duration
    }

    var defaultValueDescription: String { "\(duration.components.seconds)s" }
}

/// A range of token ids as an argument: `300..999`.
struct TokenIDRange: ExpressibleByArgument {
    var range: ClosedRange<Int>

    init(_ range: ClosedRange<Int>) { self.range = range }

    init?(argument: String) {
        let ends = argument.split(separator: "..", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard ends.count == 2, ends[0] >= 0, ends[0] < ends[1], ends[1] < 1 << 31 else { return nil }
        range = ends[0]...ends[1]
    }

    var defaultValueDescription: String { "\(range.lowerBound)..\(range.upperBound)" }
}

extension TokenCounts: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }

    package var defaultValueDescription: String { text }
}

/// What is asked, and how often.
struct ServeLoadOptions: ParsableArguments {
    @Option(help: "Clients that ask at once, each again when it has its answer (closed loop); 8 by default.")
    var streams: Int?

    @Option(help: "Requests a second that come at random (open loop), whether or not earlier ones are done.")
    var rate: Double?

    @Option(help: "Requests in all; 64 by default, without --duration.")
    var requests: Int?

    @Option(help: ArgumentHelp("Begin requests for so long: 500ms, 60s, 10m.", valueName: "time"))
    var duration: DurationArgument?

    @Option(help: "Tokens of prompts: 128, or drawn from 64,128,256, from 64..512, from lognormal:128,0.5.")
    var promptTokens = TokenCounts(128)

    @Option(help: "Tokens to generate, likewise.")
    var outputTokens = TokenCounts(64)

    @Option(help: "Tokens that all prompts begin with, before their own.")
    var sharedPrefix = 0

    @Option(help: "Prompts that requests take in turn; by default no two requests have the same.")
    var distinct: Int?

    @Option(help: "Requests before that do not count.")
    var warmUp = 8

    @Flag(help: "Ask each of the prompts alone first, and compare all later texts with that (64 prompts by default).")
    var compareTexts = false

    @Option(help: "Equal seeds make equal prompts and arrivals; random by default.")
    var seed: UInt64?

    private static let requestsMax = 100_000_000
    private static let streamsMax = 4096

    func validate() throws {
        func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
            guard let value, !range.contains(value) else { return }
            throw ValidationError("\(name): expected \(range.lowerBound) to \(range.upperBound), got \(value)")
        }
        try check("--streams", streams, 1...Self.streamsMax)
        try check("--requests", requests, 1...Self.requestsMax)
        try check("--shared-prefix", sharedPrefix, 0...TokenCounts.tokensMax)
        try check("--distinct", distinct, 1...Self.requestsMax)
        try check("--warm-up", warmUp, 0...Self.requestsMax)
        if streams != nil, rate != nil { throw ValidationError("--streams, --rate: expected one of them, got both") }
        if let rate, !(rate >= 0.001 && rate <= 100_000) {
            throw ValidationError("--rate: expected 0.001 to 100000 requests a second, got \(rate)")
        }
    }

    func plan() -> LoadPlan {
        let seed = seed ?? UInt64.random(in: 0..<1 << 32)
        let prompts = LoadPrompts(
            promptTokens: promptTokens, outputTokens: outputTokens, sharedPrefix: sharedPrefix,
            distinct: distinct ?? (compareTexts ? 64 : nil), seed: seed)
        return LoadPlan(
            loop: rate.map { .open(rate: $0) } ?? .closed(streams: streams ?? 8), prompts: prompts,
            requests: requests ?? (duration == nil ? 64 : nil), duration: duration?.duration, warmUp: warmUp,
            comparesTexts: compareTexts)
    }
}

/// How the server is asked.
struct ServeRequestOptions: ParsableArguments {
    @Option(help: "As the server names it; by default its only one.")
    var model: String?

    @Flag(help: "Ask for answers in a conversation.")
    var chat = false

    @Flag(help: "Send prompts as text even where the server takes token ids.")
    var text = false

    @Option(help: ArgumentHelp("Ids that prompts are made of.", valueName: "low..high"))
    var tokenIds = TokenIDRange(300...999)

    @Option(help: "0 always takes the likeliest token.")
    var temperature = 0.0

    @Flag(inversion: .prefixedNo, help: "Let answers go on after tokens that end them, so that all are of full length.")
    var ignoreEos = true

    @Option(help: ArgumentHelp("The whole time that a request may take.", valueName: "time"))
    var timeout = DurationArgument(.seconds(300))

    @Option(help: ArgumentHelp("A file with the key that goes with each request.", valueName: "file"))
    var apiKeyFile: String?

    @Option(help: ArgumentHelp("The environment variable that has the key.", valueName: "name"))
    var apiKeyEnv: String?

    func validate() throws {
        if chat, text { throw ValidationError("--chat, --text: expected one of them, got both") }
        if !(0...2).contains(temperature) {
            throw ValidationError("--temperature: expected 0 to 2, got \(temperature)")
        }
        if apiKeyFile != nil, apiKeyEnv != nil {
            throw ValidationError("--api-key-file, --api-key-env: expected one of them, got both")
        }
    }

    func key() throws -> ServerKey? {
        if let name = apiKeyEnv {
            guard let text = ProcessInfo.processInfo.environment[name] else {
                throw ProgramError(.configuration, "--api-key-env: expected a variable, got \(name), which is not set")
            }
            return try ServerKey(text, from: "--api-key-env: \(name)")
        }
        guard let path = apiKeyFile else { return nil }
        guard let handle = FileHandle(forReadingAtPath: path),
            let bytes = try? handle.read(upToCount: ServerKey.bytesMax + 1)
        else { throw ProgramError(.configuration, "--api-key-file: \(path): cannot be read") }
        return try ServerKey(String(decoding: bytes, as: UTF8.self), from: "--api-key-file: \(path)")
    }

    /// What is tried first.
    func shape(model: String) -> RequestShape {
        RequestShape(
            model: model, prompts: chat ? .chat : text ? .text : .tokens, ignoresEnd: ignoreEos, asksUsage: true,
            temperature: temperature, tokenIDs: tokenIds.range)
    }
}
