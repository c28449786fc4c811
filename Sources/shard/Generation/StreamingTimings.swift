import Devices
import Inference
import Sharding

/// What reading weights from disk did during an answer, as `--json` prints it.
struct StreamingTimings: Encodable {
    var budget_bytes: Int
    /// The most that this process held at once so far.
    var peak_bytes: Int?
    var pinned_bytes: Int
    /// Of each step with an output.
    var streamed_bytes: Int
    var read_bytes: Int
    var read_bytes_per_second: Double
    /// The best rate of a short trial at the start.
    var disk_bytes_per_second: Double?
    /// Part of the time in which nothing could be computed because weights were not there yet.
    var waited_share: Double
    /// `direct` or `buffered`, and pieces that were under way at once.
    var method: String?
    var depth: Int?
    /// In a mixture of experts: of the bytes of experts that rows went to, the part that was in memory.
    var expert_hit_rate: Double?

    /// - Parameter time: of the answer.
    init(before: StreamingReport, after: StreamingReport, time: Duration) {
        let done = after.statistics(since: before)
        let seconds = max(1e-9, time / .seconds(1))
        budget_bytes = after.budgetBytes
        peak_bytes = MachineFiles().processMemory?.peakBytes
        pinned_bytes = after.pinnedBytes
        streamed_bytes = after.streamedBytes
        read_bytes = done.readBytes
        read_bytes_per_second = Double(done.readBytes) / seconds
        disk_bytes_per_second = after.diskBytesPerSecond
        waited_share = min(1, done.waited / .seconds(1) / seconds)
        method = after.settings?.method.rawValue
        depth = after.settings?.depth
        expert_hit_rate = after.experts?.since(before.experts).hitRate
    }

    /// For people.
    var line: String {
        let peak = peak_bytes.map { ", \(describeBytes($0)) at most so far" } ?? ""
        let memory = "memory: budget \(describeBytes(budget_bytes))\(peak); \(describeBytes(pinned_bytes)) stay"
        guard let method else { return memory }
        return "disk: \(Self.rate(read_bytes_per_second)) (\(method))"
            + ", waited for \(Int((waited_share * 100).rounded())) % of the time; " + memory
            + ", \(describeBytes(streamed_bytes)) are read for each token"
            + (expert_hit_rate.map { " at most, \(Int(($0 * 100).rounded())) % of experts were in memory" } ?? "")
    }

    private static func rate(_ bytesPerSecond: Double) -> String {
        "\(Int((bytesPerSecond / 1e6).rounded())) MB/s"
    }
}
