import Sharding

/// What happened, as trace events that Perfetto and Chrome's viewer read: a track for each stage, and as many for steps and
/// for requests as there were at once.
///
/// - SeeAlso: "Trace Event Format", the complete (`X`) and metadata (`M`) events.
struct TraceEvents: Sendable {
    enum Event: Sendable {
        /// The stages of a plan, as they are named.
        case plan([String])
        case step(CompletedStep)
        case request(EndedRequest)
        /// So many were lost, as they came faster than they were written.
        case lost(Int)
    }

    /// Numbers of the three groups of tracks.
    private enum Group: Int, CaseIterable {
        case stages = 1
        case steps, requests

        var name: String {
            switch self {
            case .stages: "stages (what each computes)"
            case .steps: "steps (from sending to result)"
            case .requests: "requests"
            }
        }
    }

    /// Tracks of one group: an interval takes the first one that is free at its start.
    private struct Tracks {
        private var freeAt: [Duration] = []

        mutating func take(from start: Duration, to end: Duration) -> Int {
            let index = freeAt.firstIndex { $0 <= start } ?? freeAt.count
            if index == freeAt.count { freeAt.append(end) } else { freeAt[index] = end }
            return index
        }
    }

    private var steps = Tracks()
    private var requests = Tracks()

    /// Events as JSON objects, in the order in which they are to be written.
    mutating func objects(_ event: Event) -> [String] {
        switch event {
        case .plan(let names):
            return Group.allCases.map { Self.metadata("process_name", $0, track: 0, $0.name) }
                + names.enumerated().map { Self.metadata("thread_name", .stages, track: $0, $1) }
        case .step(let step): return objects(step)
        case .request(let request): return objects(request)
        case .lost(let count):
            return [Self.complete("\(count) events were lost", .steps, track: 0, from: .zero, to: .zero)]
        }
    }

    private mutating func objects(_ step: CompletedStep) -> [String] {
        let rows = [("rows", "\(step.rows)"), ("prompt_rows", "\(step.promptRows)")]
        let computed = step.spans.reduce(Duration.zero) { $0 + ($1.upperBound - $1.lowerBound) }
        let whole = step.arrivedAt - step.sentAt
        let parts =
            rows + [
                ("compute_us", Self.microseconds(computed)),
                ("wait_and_wire_us", Self.microseconds(max(.zero, whole - computed))),
            ]
        let track = steps.take(from: step.sentAt, to: step.arrivedAt)
        return step.spans.enumerated().map { index, span in
            Self.complete(
                "step \(step.id)", .stages, track: index, from: span.lowerBound, to: span.upperBound, rows)
        } + [Self.complete("step \(step.id)", .steps, track: track, from: step.sentAt, to: step.arrivedAt, parts)]
    }

    private mutating func objects(_ request: EndedRequest) -> [String] {
        let track = requests.take(from: request.submittedAt, to: request.endedAt)
        let begun = request.begunAt ?? request.endedAt
        let first = request.firstTokenAt ?? request.endedAt
        let parts: [(String, Duration, Duration)] = [
            ("queued", request.submittedAt, begun), ("prompt", begun, first), ("generation", first, request.endedAt),
        ]
        let whole = Self.complete(
            "request \(request.id): \(request.outcome)", .requests, track: track, from: request.submittedAt,
            to: request.endedAt,
            [("prompt_tokens", "\(request.promptTokens)"), ("generated_tokens", "\(request.generatedTokens)")])
        return [whole]
            + parts.filter { $0.2 > $0.1 }.map {
                Self.complete($0.0, .requests, track: track, from: $0.1, to: $0.2)
            }
    }

    // MARK: Writing

    /// - Parameter numbers: names with numbers, as JSON.
    private static func complete(
        _ name: String, _ group: Group, track: Int, from start: Duration, to end: Duration,
        _ numbers: [(String, String)] = []
    ) -> String {
        let arguments = numbers.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
        return "{\"name\":\"\(name)\",\"ph\":\"X\",\"pid\":\(group.rawValue),\"tid\":\(track + 1),"
            + "\"ts\":\(microseconds(start)),\"dur\":\(microseconds(end - start)),\"args\":{\(arguments)}}"
    }

    private static func metadata(_ kind: String, _ group: Group, track: Int, _ name: String) -> String {
        "{\"name\":\"\(kind)\",\"ph\":\"M\",\"pid\":\(group.rawValue),\"tid\":\(track + 1),"
            + "\"args\":{\"name\":\"\(escaped(name))\"}}"
    }

    /// With three places: nanoseconds.
    static func microseconds(_ time: Duration) -> String {
        let nanoseconds = max(
            0, Int64(clamping: time.components.seconds) * 1_000_000_000 + time.components.attoseconds / 1_000_000_000)
        let rest = String(nanoseconds % 1000)
        return "\(nanoseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }

    /// Names come from the configuration.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\u{0}"..."\u{1F}": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
