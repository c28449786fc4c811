extension BenchmarkReport {
    /// One line a result, under a line of names.
    package func csv() -> String {
        let names = [
            "model", "bytes", "types", "mode", "threads", "kv_type", "test", "prompt", "generate", "depth", "sequences",
            "tokens_per_second", "low", "high", "repetitions", "share", "limit", "bytes_per_token", "peak_bytes",
            "disk_bytes_per_token", "disk_bytes_per_second", "disk_limit_bytes_per_second", "disk_share",
            "disk_waited_share",
        ]
        return CSV.text([names] + results.map(cells))
    }

    private func cells(_ result: Result) -> [String] {
        let speed = result.tokensPerSecond
        return [
            result.model, "\(result.bytes)", result.types, result.mode.rawValue, "\(result.threads)",
            result.kvType, result.test, "\(result.prompt)", "\(result.generate)", "\(result.depth)",
            "\(result.sequences)", "\(speed.median)", "\(speed.low)", "\(speed.high)", "\(speed.samples.count)",
            result.share.map { "\($0)" } ?? "", result.limit?.rawValue ?? "", "\(result.bytesPerToken)",
            result.peakBytes.map { "\($0)" } ?? "",
        ] + cells(result.disk)
    }

    private func cells(_ disk: Disk?) -> [String] {
        guard let disk else { return Array(repeating: "", count: 5) }
        return [
            disk.readBytesPerToken, disk.read.median, disk.limit.median, disk.share, disk.waitedShare,
        ].map { "\($0)" }
    }
}
