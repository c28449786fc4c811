import Foundation
import ShardKit
import Sharding

/// What a comparison of a cluster with one process says, for people and for scripts.
struct VerifyReport {
    let model: String
    var alone: OneProcess.Setting?
    var plan: Plan?
    var checks: [VerificationCheck] = []
    /// What came of leaving out one worker after the other, where something differs.
    var trials: [SuspectSearch.Trial] = []

    var isEqual: Bool { checks.allSatisfy { $0.difference == nil } }

    static func line(_ alone: OneProcess.Setting) -> String { "alone: one process on this machine, \(alone.text)" }

    static func line(_ plan: Plan) -> String {
        "cluster: " + plan.shares.map { "\($0.worker) with \($0.units)" }.joined(separator: ", ")
    }

    static func line(_ check: VerificationCheck) -> String {
        (check.difference == nil ? "equal      " : "DIFFERENT  ") + check.name
    }

    var conclusion: [String] {
        let different = checks.filter { $0.difference != nil }
        guard !different.isEmpty else {
            let count = checks.reduce(0) { $0 + $1.valueCount }
            return [
                "all \(checks.count) checks are equal: \(count) numbers from the cluster have the bits that one process gives "
                    + "them"
            ]
        }
        let head =
            ["\(different.count) of \(checks.count) checks differ:"]
            + different.map { "  \($0.name): \($0.explanation ?? "")" }
        guard !trials.isEmpty else { return head }
        return head + trials.map(Self.line) + [verdict]
    }

    private static func line(_ trial: SuspectSearch.Trial) -> String {
        let finding =
            switch trial.finding {
            case .equal: "equal"
            case .different: "different"
            case .failed(let reason): "cannot tell: \(reason)"
            }
        return "  without \(trial.worker): \(finding)"
    }

    private var verdict: String {
        if let suspect = SuspectSearch.suspect(trials) {
            return "suspect worker \(suspect.worker), which had \(suspect.units): without it all is equal"
        }
        return trials.allSatisfy { $0.finding == .different }
            ? "no worker is the only one to suspect; this machine, or the file that it reads, may be what is wrong"
            : "which worker is wrong cannot be told from this"
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "nan")
        let value = VerifyJSON(
            model: model, equal: isEqual,
            alone: alone.map { VerifyJSON.Alone(threads: $0.threads, budgetBytes: $0.budgetBytes) },
            workers: plan?.shares.map { VerifyJSON.Worker(name: $0.worker, layers: $0.units) } ?? [],
            checks: checks.map(VerifyJSON.Check.init), trials: trials.map(VerifyJSON.Trial.init),
            suspect: SuspectSearch.suspect(trials)?.worker)
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

extension VerificationCheck {
    /// Where and how much, in words.
    var explanation: String? {
        guard let difference else { return nil }
        var parts: [String] = []
        switch subject {
        case .logits(let sequence, _):
            parts.append("sequence \(sequence)")
            if let count = difference.positionCount {
                parts.append("\(count) positions differ, the first at \(difference.position)")
            } else {
                parts.append("position \(difference.position)")
            }
        case .answers: parts.append("request \(difference.sequence), position \(difference.position)")
        case .embedding(let sequence): parts.append("sequence \(sequence)")
        }
        if let values = difference.values {
            parts.append("\(values.differing) of \(values.count) numbers, by \(values.largest) at most")
        }
        if let detail = difference.detail { parts.append(detail) }
        return parts.joined(separator: ": ")
    }
}

private struct VerifyJSON: Encodable {
    struct Alone: Encodable {
        var threads: Int
        /// Absent where all weights were in memory.
        var budgetBytes: Int?
    }

    struct Worker: Encodable {
        var name: String
        var layers: String
    }

    struct Trial: Encodable {
        /// The worker that was left out.
        var without: String
        /// Absent where the others could not run the model.
        var equal: Bool?
        var failure: String?

        init(_ trial: SuspectSearch.Trial) {
            without = trial.worker
            switch trial.finding {
            case .equal: equal = true
            case .different: equal = false
            case .failed(let reason): failure = reason
            }
        }
    }

    struct Check: Encodable {
        var name: String
        var values: Int
        var equal: Bool
        /// Index of the sequence, or of the request.
        var sequence: Int?
        var position: Int?
        /// Positions of the sequence whose logits differ.
        var differentPositions: Int?
        /// Of the first position's.
        var differentValues: Int?
        var largestDifference: Float?
        var detail: String?

        init(_ check: VerificationCheck) {
            name = check.name
            values = check.valueCount
            equal = check.difference == nil
            sequence = check.difference?.sequence
            position = check.difference?.position
            differentPositions = check.difference?.positionCount
            differentValues = check.difference?.values?.differing
            largestDifference = check.difference?.values?.largest
            detail = check.difference?.detail
        }
    }

    var model: String
    var equal: Bool
    var alone: Alone?
    var workers: [Worker]
    var checks: [Check]
    var trials: [Trial]
    /// Absent where there is none.
    var suspect: String?
}
