import Inference
import Sharding

/// What a memory budget goes to, for people and as `--json` prints it.
struct StreamingPlanReport: Encodable {
    private let name: String
    let budget_bytes: Int
    let smallest_budget_bytes: Int
    let program_bytes: Int
    let norm_bytes: Int
    let cache_bytes: Int
    let scratch_bytes: Int
    let ring_bytes: Int
    let pinned_bytes: Int
    /// For experts that were used of late; 0 where all stay, and in models without.
    let expert_cache_bytes: Int
    let streamed_bytes: Int
    /// For what grows, the system's tables, and the page cache.
    let rest_bytes: Int
    let rows_per_step: Int
    let context: Int

    private enum CodingKeys: CodingKey {
        case budget_bytes, smallest_budget_bytes, program_bytes, norm_bytes, cache_bytes, scratch_bytes, ring_bytes
        case pinned_bytes, expert_cache_bytes, streamed_bytes, rest_bytes, rows_per_step, context
    }

    init(_ setup: StreamingSetup, name: String) {
        let (budget, plan) = (setup.budget, setup.parts[0].plan)
        self.name = name
        budget_bytes = budget.limitBytes
        smallest_budget_bytes = MemoryBudget.smallestBytes(for: budget.demand)
        program_bytes = budget.demand.programBytes
        norm_bytes = budget.demand.vectorBytes
        cache_bytes = budget.demand.cacheBytes
        scratch_bytes = budget.scratchBytes
        ring_bytes = budget.ringBytes
        pinned_bytes = plan.pinnedBytes
        expert_cache_bytes = plan.expertCacheBytes
        streamed_bytes = plan.streamedBytes
        rows_per_step = setup.rowsMax
        context = setup.demand.contextLength
        rest_bytes =
            budget_bytes - program_bytes - norm_bytes - cache_bytes - scratch_bytes - ring_bytes - pinned_bytes
            - expert_cache_bytes
    }

    var lines: [String] {
        let experts = ("experts used of late", expert_cache_bytes, "others are read when rows go to them")
        let parts =
            [
                ("weights that stay", pinned_bytes, streamed_bytes == 0 ? "all of them" : "")
            ] + (expert_cache_bytes == 0 ? [] : [experts]) + [
                ("norms and biases", norm_bytes, ""),
                ("cache", cache_bytes, "context \(context)"),
                ("working memory", scratch_bytes, "steps of up to \(rows_per_step) rows"),
                ("ring for reading", ring_bytes, ""),
                ("program and tokenizer", program_bytes, "held now"),
                ("rest", rest_bytes, "what grows, tables of pages, page cache"),
            ]
        let table = parts.map { name, bytes, note in
            "  " + name.padded(to: 24) + describeBytes(bytes).leftPadded(to: 11) + (note.isEmpty ? "" : "  (\(note))")
        }
        let streamed =
            streamed_bytes == 0
            ? "nothing is read from disk"
            : "\(describeBytes(streamed_bytes)) are read for each token\(expert_cache_bytes == 0 ? "" : " at most")"
        return ["\(name) within \(describeBytes(budget_bytes)); \(streamed)"] + table
            + ["smallest budget: \(describeBytes(smallest_budget_bytes))"]
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
