import Sharding

/// Stages and the ways between them, in virtual time: when a step that is sent comes back.
///
/// All pass one way, each stage computes one step at a time in the order in which they come, and each way carries one
/// message at a time. So all that happens to a step is known when it is sent, and no events are needed on the way.
/// Times are nanoseconds.
struct ModelledPipeline {
    private struct Stage {
        var fixed: Int
        /// To read its weights once.
        var pass: Double
        var rowsPerPass: Double
        var freeAt = 0
        /// Within the window.
        var busy = 0

        func time(ofRows rows: Int) -> Int {
            rows == 0 ? fixed : fixed + Int(pass * max(1, Double(rows) / rowsPerPass))
        }
    }

    private struct Hop {
        var delay: Int
        var nanosecondsPerByte: Double
        var freeAt = 0
        var busy = 0
    }

    private var stages: [Stage]
    private var hops: [Hop]
    private let rowBytes: Int
    /// In which busy time is counted.
    var window = 0..<0
    /// When the last of the steps that were sent comes back.
    private(set) var lastArrival = 0

    /// What a message has beside hidden states, and a result for each token.
    private static let headerBytes = 256

    /// - Parameter plan: each worker's stages are one.
    init(_ plan: Plan, devices: [String: SimulatedSetup.Device], rowBytes: Int) {
        precondition(plan.stages.count == plan.shares.count, "a worker has one stage")
        let seconds = Dictionary(uniqueKeysWithValues: plan.shares.map { ($0.worker, $0.secondsPerToken) })
        stages = plan.stages.map { stage in
            guard let device = devices[stage.worker], let seconds = seconds[stage.worker] else {
                preconditionFailure("a stage's worker has a device and a share")
            }
            return Stage(
                fixed: device.stepTime.nanoseconds, pass: seconds * 1e9, rowsPerPass: device.rowsPerPass)
        }
        hops = plan.hops.map {
            Hop(delay: $0.estimate.roundTrip.nanoseconds / 2, nanosecondsPerByte: 1e9 / $0.estimate.bytesPerSecond)
        }
        self.rowBytes = rowBytes
    }

    /// Sends a step on its way.
    ///
    /// - Returns: when its result is there, and what the slowest stage took for it.
    mutating func send(rows: Int, at start: Int) -> (arrival: Int, slowest: Int) {
        var time = start
        var slowest = 0
        let bytes = Double(rows * rowBytes + Self.headerBytes)
        for index in stages.indices {
            time = carry(bytes, over: index, at: time)
            let begin = max(time, stages[index].freeAt)
            let taken = stages[index].time(ofRows: rows)
            time = begin + taken
            stages[index].freeAt = time
            stages[index].busy += overlap(begin, time)
            slowest = max(slowest, taken)
        }
        let arrival = carry(Double(Self.headerBytes), over: stages.count, at: time)
        lastArrival = max(lastArrival, arrival)
        return (arrival, slowest)
    }

    private mutating func carry(_ bytes: Double, over index: Int, at time: Int) -> Int {
        let begin = max(time, hops[index].freeAt)
        let end = begin + Int(bytes * hops[index].nanosecondsPerByte)
        hops[index].freeAt = end
        hops[index].busy += overlap(begin, end)
        return end + hops[index].delay
    }

    private func overlap(_ begin: Int, _ end: Int) -> Int {
        max(0, min(end, window.upperBound) - max(begin, window.lowerBound))
    }

    /// Of each stage, the part of the window in which it computes.
    var stageShares: [Double] { stages.map { Double($0.busy) / Double(max(1, window.count)) } }

    /// Of each way, the part of the window in which it carries something.
    var hopShares: [Double] { hops.map { Double($0.busy) / Double(max(1, window.count)) } }

    /// Of the slowest stage for a step of one row.
    var slowestNanoseconds: Int { stages.map { $0.time(ofRows: 1) }.max() ?? 0 }

    /// Which a step of one row takes where no other is on its way.
    var passNanoseconds: Int {
        var empty = self
        for index in stages.indices { empty.stages[index].freeAt = 0 }
        for index in hops.indices { empty.hops[index].freeAt = 0 }
        return empty.send(rows: 1, at: 0).arrival
    }
}

extension Duration {
    var nanoseconds: Int { Int(components.seconds) * 1_000_000_000 + Int(components.attoseconds / 1_000_000_000) }
}
