import Measuring

/// What a load on a server found. Times are seconds, speeds tokens a second.
package struct LoadReport: Sendable, Hashable, Codable {
    package static let versionWritten = 1

    package struct Server: Sendable, Hashable, Codable {
        package var url: String
        package var model: String
        /// `tokens`, `text` or `chat`.
        package var prompts: RequestShape.Prompts
        package var ignoresEnd: Bool
        /// What the server does not take, a line each.
        package var notes: [String]
    }

    package struct Load: Sendable, Hashable, Codable {
        /// Clients of a closed loop.
        package var streams: Int?
        /// Requests a second of an open loop.
        package var rate: Double?
        package var requests: Int?
        package var seconds: Double?
        package var promptTokens: String
        package var outputTokens: String
        package var sharedPrefix: Int
        package var distinctPrompts: Int?
        package var temperature: Double
        package var seed: UInt64
        package var warmUp: Int
        package var timeoutSeconds: Double
    }

    /// The machine that asked.
    package struct Client: Sendable, Hashable, Codable {
        package var cpu: String
        package var cores: Int
        package var os: String
        package var cpuSeconds: Double

        package init(cpu: String, cores: Int, os: String, cpuSeconds: Double) {
            self.cpu = cpu
            self.cores = cores
            self.os = os
            self.cpuSeconds = cpuSeconds
        }
    }

    package struct Requests: Sendable, Hashable, Codable {
        package struct Failure: Sendable, Hashable, Codable {
            package var kind: String
            package var count: Int
            package var example: String
        }

        package var done: Int
        package var failed: Int
        /// Of those: 429 and 503.
        package var refused: Int
        package var refusedWithoutRetryAfter: Int
        package var failures: [Failure]
        package var endedEarly: Int
        /// Missing where texts were not compared.
        package var differingTexts: Int?
        package var firstDifference: String?
    }

    package struct Tokens: Sendable, Hashable, Codable {
        package var prompt: Int
        package var cached: Int
        package var generated: Int
        package var pieces: Int
        /// Answers whose pieces were counted as tokens, because the server told no count.
        package var uncountedAnswers: Int
    }

    package struct Times: Sendable, Hashable, Codable {
        package var firstToken: LoadSummary?
        package var betweenTokens: LoadSummary?
        package var longestGap: LoadSummary?
        package var endToEnd: LoadSummary?
        /// Of 429 and 503.
        package var refusal: LoadSummary?
        /// Of an open loop: how long after they were due requests were written.
        package var lateness: LoadSummary?
    }

    package struct Speeds: Sendable, Hashable, Codable {
        package struct Busy: Sendable, Hashable, Codable {
            package var seconds: Double
            package var tokensPerSecond: Double
        }

        /// Of one answer, from its first token to its last.
        package var stream: LoadSummary?
        package var total: Double
        package var requestsPerSecond: Double
        /// While all clients were at it.
        package var busy: Busy?
        /// Tokens that came in each second.
        package var bySecond: [Double]
    }

    package var version = Self.versionWritten
    package var server: Server
    package var load: Load
    package var client: Client
    package var requests: Requests
    package var tokens: Tokens
    package var seconds: Double
    package var times: Times
    package var tokensPerSecond: Speeds
}

extension LoadReport {
    /// - Parameter notes: what the server does not take.
    package init(
        _ plan: LoadPlan, _ target: LoadTarget, _ shape: RequestShape, notes: [String], _ outcome: LoadDriver.Outcome,
        client: Client
    ) {
        let tally = outcome.tally
        let seconds = outcome.elapsed / .seconds(1)
        server = Server(
            url: target.url, model: shape.model, prompts: shape.prompts, ignoresEnd: shape.ignoresEnd, notes: notes)
        load = Load(plan, temperature: shape.temperature, timeout: target.timeout)
        self.client = client
        requests = Requests(tally, comparesTexts: plan.comparesTexts)
        tokens = Tokens(
            prompt: tally.promptTokens, cached: tally.cachedTokens, generated: tally.generatedTokens,
            pieces: tally.pieceCount, uncountedAnswers: tally.uncounted)
        self.seconds = seconds
        times = Times(
            firstToken: tally.firstToken.summary, betweenTokens: tally.gaps.summary,
            longestGap: tally.longestGap.summary, endToEnd: tally.endToEnd.summary, refusal: tally.refusals.summary,
            lateness: tally.lateness.summary)
        tokensPerSecond = Speeds(
            stream: tally.speeds.summary, total: seconds > 0 ? Double(tally.generatedTokens) / seconds : 0,
            requestsPerSecond: seconds > 0 ? Double(tally.doneCount) / seconds : 0,
            busy: tally.window.duration.map {
                Speeds.Busy(seconds: $0 / .seconds(1), tokensPerSecond: tally.window.tokens / ($0 / .seconds(1)))
            }, bySecond: tally.seconds)
    }

    /// Whether everything that was asked for came, refusals of a server with too much to do excepted.
    package var isSound: Bool {
        requests.failed == requests.refused && requests.differingTexts ?? 0 == 0 && requests.done > 0
    }
}

extension LoadReport.Load {
    fileprivate init(_ plan: LoadPlan, temperature: Double, timeout: Duration) {
        switch plan.loop {
        case .closed(let streams): self.streams = streams
        case .open(let rate): self.rate = rate
        }
        requests = plan.requests
        seconds = plan.duration.map { $0 / .seconds(1) }
        promptTokens = plan.prompts.promptTokens.text
        outputTokens = plan.prompts.outputTokens.text
        sharedPrefix = plan.prompts.sharedPrefix
        distinctPrompts = plan.prompts.distinct
        self.temperature = temperature
        seed = plan.prompts.seed
        warmUp = plan.warmUp
        timeoutSeconds = timeout / .seconds(1)
    }
}

extension LoadReport.Requests {
    fileprivate init(_ tally: LoadTally, comparesTexts: Bool) {
        done = tally.doneCount
        failed = tally.failedCount
        refused = tally.refusedCount
        refusedWithoutRetryAfter = tally.withoutRetryAfter
        failures = tally.failures.sorted { $0.count > $1.count }.map {
            Failure(kind: $0.kind.description, count: $0.count, example: $0.example)
        }
        endedEarly = tally.endedEarly
        differingTexts = comparesTexts ? tally.differingTexts : nil
        firstDifference = tally.firstDifference
    }
}
