import Glibc

extension WorkerConfiguration {
    static let cpusMax = 1024

    /// The machine's name and the device's, in the characters that names may have: `nodeA-cpu`, `nodeA-cuda-0`.
    package static func defaultName(device: String) -> String {
        var bytes = [UInt8](repeating: 0, count: 256)
        let status = bytes.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { name in
                name.baseAddress.map { gethostname($0, name.count) } ?? -1
            }
        }
        let host = status == 0 ? String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) : ""
        let name = (host.isEmpty ? "worker" : host).prefix(40) + "-" + device.prefix(20)
        return String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
    }

    /// Reads `0,1` or `0-3,8`.
    package static func cpuList(_ text: String) throws(WorkerError) -> [Int] {
        var cpus: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first >= 0,
                first <= last, last < 1 << 16, cpus.count + (last - first) < cpusMax
            else {
                throw WorkerError(
                    .configuration, place: "--cpus", "expected a list such as 0,1 or 0-3, got \"\(text)\"")
            }
            cpus += first...last
        }
        return cpus
    }
}
