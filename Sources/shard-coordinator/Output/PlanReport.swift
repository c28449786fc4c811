import Coordinator
import Foundation
import Sharding
import Terminal

/// A plan for people, and for scripts.
struct PlanReport {
    let plan: Plan
    let model: String
    let settings: ClusterSettings

    /// A table, and what it means.
    var lines: [String] {
        // Only where somebody reads from it.
        let showsDisk = plan.shares.contains { $0.streamedBytes != nil }
        var table = TextTable(
            [
                ("worker", .left), ("device", .left), ("layers", .left), ("weights", .right), ("cache", .right),
                ("scratch", .right), ("limit", .right),
            ] + (showsDisk ? [("from disk", .right)] : []) + [("ms/token", .right)])
        for share in plan.shares {
            table.add(
                [
                    share.worker, share.device, share.units, describeBytes(share.need.weightBytes),
                    describeBytes(share.need.cacheBytes), describeBytes(share.need.scratchBytes),
                    describeBytes(share.limitBytes),
                ] + (showsDisk ? [share.streamedBytes.map(describeBytes) ?? ""] : [])
                    + [String(format: "%.2f", share.secondsPerToken * 1000)])
        }
        let capacity = settings.capacity
        let head =
            "\(model): \(plan.policy.rawValue), \(plan.stages.count) stages, \(capacity.maxSequences) sequences of "
            + "\(capacity.contextLength) positions, cache \(settings.cacheType.rawValue)"
        return [head] + table.lines + [speed, links] + plan.leftOut
    }

    /// `links: coordinator > a 0.08 ms, 2100 MB/s; a > coordinator …`: round trip and rate.
    private var links: String {
        "links: "
            + plan.hops.map { hop in
                "\(hop.ends) \(hop.estimate.text)\(hop.isMeasured ? "" : " (assumed)")"
            }.joined(separator: "; ")
    }

    private var speed: String {
        let prediction = plan.prediction
        var line =
            "predicted: \(rate(prediction.tokensPerSecond)) tokens/s for one sequence, "
            + several(prediction)
            + "; prompts \(rate(prediction.promptTokensPerSecond)) tokens/s"
        if let alone = plan.alone, let worker = alone.worker, plan.shares.count > 1 {
            line +=
                "; \(worker) alone: \(rate(alone.tokensPerSecond)), \(several(alone)), "
                + "prompts \(rate(alone.promptTokensPerSecond))"
        }
        return line
    }

    /// `160 for 8, 210 for 16`.
    private func several(_ prediction: Plan.Prediction) -> String {
        let most = settings.capacity.maxSequences
        let eight = most > 8 ? "\(rate(prediction.eightTokensPerSecond)) for 8, " : ""
        return eight + "\(rate(prediction.pipelinedTokensPerSecond)) for \(most)"
    }

    private func rate(_ value: Double) -> String { String(format: value < 10 ? "%.1f" : "%.0f", value) }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let value = PlanJSON(
            model: model, policy: plan.policy.rawValue, contextLength: settings.capacity.contextLength,
            maxSequences: settings.capacity.maxSequences, kvType: settings.cacheType.rawValue,
            stages: plan.stages.enumerated().map { index, stage in
                PlanJSON.Stage(
                    index: index, worker: stage.worker, layerFirst: stage.layers.lowerBound,
                    layerEnd: stage.layers.upperBound, includesHead: stage.includesHead)
            },
            workers: plan.shares.map { share in
                PlanJSON.Worker(
                    name: share.worker, device: share.device, layers: share.layerCount,
                    weightBytes: share.need.weightBytes, cacheBytes: share.need.cacheBytes,
                    scratchBytes: share.need.scratchBytes, limitBytes: share.limitBytes,
                    streamedBytes: share.streamedBytes, secondsPerToken: share.secondsPerToken)
            },
            links: plan.hops.map { hop in
                PlanJSON.Link(
                    from: hop.from.isEmpty ? nil : hop.from, to: hop.to.isEmpty ? nil : hop.to,
                    roundTripSeconds: hop.estimate.roundTrip.seconds, bytesPerSecond: hop.estimate.bytesPerSecond,
                    isMeasured: hop.isMeasured)
            },
            leftOut: plan.leftOut, predicted: PlanJSON.Speed(plan.prediction),
            alone: plan.alone.map { PlanJSON.Speed($0) })
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

private struct PlanJSON: Encodable {
    struct Stage: Encodable {
        var index: Int
        var worker: String
        var layerFirst: Int
        var layerEnd: Int
        var includesHead: Bool
    }

    struct Worker: Encodable {
        var name: String
        var device: String
        var layers: Int
        var weightBytes: Int
        var cacheBytes: Int
        var scratchBytes: Int
        var limitBytes: Int
        /// Absent for a worker that holds all of its weights.
        var streamedBytes: Int?
        var secondsPerToken: Double
    }

    struct Link: Encodable {
        /// Absent for the coordinator.
        var from: String?
        var to: String?
        var roundTripSeconds: Double
        var bytesPerSecond: Double
        var isMeasured: Bool
    }

    /// Tokens a second.
    struct Speed: Encodable {
        /// Whose it is, where it is one worker's.
        var worker: String?
        var oneSequence: Double
        var eightSequences: Double
        var maxSequences: Double
        var prompt: Double

        init(_ prediction: Plan.Prediction) {
            worker = prediction.worker
            oneSequence = prediction.tokensPerSecond
            eightSequences = prediction.eightTokensPerSecond
            maxSequences = prediction.pipelinedTokensPerSecond
            prompt = prediction.promptTokensPerSecond
        }
    }

    var model: String
    var policy: String
    var contextLength: Int
    var maxSequences: Int
    var kvType: String
    var stages: [Stage]
    var workers: [Worker]
    var links: [Link]
    var leftOut: [String]
    var predicted: Speed
    /// Of the fastest worker without the others; absent where none can hold the model.
    var alone: Speed?
}
