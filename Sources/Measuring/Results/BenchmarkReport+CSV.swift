extension BenchmarkReport {
    /// One line a result, under a line of names (RFC 4180, lines end with a newline alone).
    package func csv() -> String {
        var lines = [
            "model,bytes,types,mode,threads,kv_type,test,prompt,generate,depth,sequences,tokens_per_second,low,high,"
                + "repetitions,share,limit,bytes_per_token,peak_bytes,disk_bytes_per_token,disk_bytes_per_second,"
                + "disk_limit_bytes_per_second,disk_share,disk_waited_share"
        ]
        for result in results {
            let speed = result.tokensPerSecond
            let cells: [String] =
                [
                    result.model, "\(result.bytes)", result.types, result.mode.rawValue, "\(result.threads)",
                    result.kvType, result.test, "\(result.prompt)", "\(result.generate)", "\(result.depth)",
                    "\(result.sequences)", "\(speed.median)", "\(speed.low)", "\(speed.high)", "\(speed.samples.count)",
                    result.share.map { "\($0)" } ?? "", result.limit?.rawValue ?? "", "\(result.bytesPerToken)",
                    result.peakBytes.map { "\($0)" } ?? "",
                ] + cells(result.disk)
            lines.append(cells.map(Self.quoted).joined(separator: ","))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func cells(_ disk: Disk?) -> [String] {
        guard let disk else { return Array(repeating: "", count: 5) }
        return [
            disk.readBytesPerToken, disk.read.median, disk.limit.median, disk.share, disk.waitedShare,
        ].map { "\($0)" }
    }

    /// In quotes where it has what would end a cell or a line.
    private static func quoted(_ cell: String) -> String {
        guard cell.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return cell }
        return "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
