#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What Linux says of the machine in `/proc` and `/sys`, a container's limits included.
package struct MachineFiles: Sendable {
    package struct Memory: Sendable, Hashable {
        package var totalBytes: Int
        package var availableBytes: Int
    }

    private static let fileBytesMax = 1 << 20

    private let root: String

    /// - Parameter root: Where `proc` and `sys` lie.
    package init(root: String = "") { self.root = root }

    /// As the kernel names it, or the architecture where it gives no name.
    package var processorName: String {
        let info = read("/proc/cpuinfo") ?? ""
        for key in ["model name", "Model", "Hardware", "cpu model"] {
            if let value = Self.value(of: key, in: info, separator: ":"), !value.isEmpty { return value.printable }
        }
        #if arch(arm64)
            return "arm64"
        #else
            return "x86_64"
        #endif
    }

    /// The operating system and its version: `Linux 6.1.0`.
    package var systemName: String {
        "Linux \((read("/proc/sys/kernel/osrelease") ?? "")[...].trimmingBlanks.printable)"
    }

    /// Equal for all processes that run under this kernel, those in containers included; empty where it does not say.
    package var id: String {
        (read("/proc/sys/kernel/random/boot_id") ?? "").filter { $0.isHexDigit || $0 == "-" }
    }

    /// CPUs that this process may run on, ascending; empty where the kernel does not say.
    package var allowedCPUs: [Int] {
        let status = read("/proc/self/status") ?? ""
        return Self.value(of: "Cpus_allowed_list", in: status, separator: ":").flatMap(Self.cpuList) ?? []
    }

    /// Threads that compute at the same time: one for each of ``computeCPUs``, within the cgroup's quota; at least 1.
    package var coreCount: Int {
        let counted = computeCPUs.count
        let cores = counted > 0 ? counted : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return max(1, min(cores, quotaCores ?? cores))
    }

    /// Of the machine, or of the cgroup where it allows less.
    package var memory: Memory {
        let info = read("/proc/meminfo") ?? ""
        let total = Self.kibibytes("MemTotal", info) ?? 0
        var memory = Memory(totalBytes: total, availableBytes: Self.kibibytes("MemAvailable", info) ?? total)
        for group in controlGroups(nil) { group.limit(&memory, "memory.max", "memory.current") }
        for group in controlGroups("memory") {
            group.limit(&memory, "memory.limit_in_bytes", "memory.usage_in_bytes")
        }
        return memory
    }

    /// A control group of this process, or one around it: all of them bind.
    private struct ControlGroup {
        let files: MachineFiles
        let folder: String

        /// Takes the group's limit into account, and what it has left below it.
        func limit(_ memory: inout Memory, _ limitFile: String, _ usageFile: String) {
            guard let limit = number(limitFile), limit < memory.totalBytes else { return }
            // Pages of files that are only cached can be taken back.
            let statistics = files.read("\(folder)/memory.stat") ?? ""
            let cached =
                MachineFiles.value(of: "inactive_file", in: statistics, separator: " ").flatMap { Int($0) } ?? 0
            memory.availableBytes = min(
                memory.availableBytes, max(0, limit - max(0, (number(usageFile) ?? 0) - cached)))
            memory.totalBytes = limit
        }

        private func number(_ file: String) -> Int? {
            files.read("\(folder)/\(file)").flatMap { Int($0.split(whereSeparator: \.isWhitespace).first ?? "") }
        }
    }

    /// The process's group in a hierarchy and those around it, up to the top, which in a container is its own.
    ///
    /// - Parameter controller: nil for the unified hierarchy.
    private func controlGroups(_ controller: String?) -> [ControlGroup] {
        let mount = "/sys/fs/cgroup" + (controller.map { "/\($0)" } ?? "")
        var folders = [mount]
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",").map(String.init)
            guard controller.map(controllers.contains) ?? controllers.isEmpty else { continue }
            var folder = mount
            for name in parts[2].split(separator: "/") {
                folder += "/\(name)"
                folders.append(folder)
            }
        }
        return folders.map { ControlGroup(files: self, folder: $0) }
    }

    private var quotaCores: Int? {
        if let words = readControl("cpu.max")?.split(whereSeparator: \.isWhitespace), words.count == 2 {
            guard let quota = Int(words[0]), let period = Int(words[1]), period > 0 else { return nil }
            return max(1, quota / period)
        }
        guard let quota = number("cpu.cfs_quota_us", controller: "cpu"), quota > 0,
            let period = number("cpu.cfs_period_us", controller: "cpu"), period > 0
        else { return nil }
        return max(1, quota / period)
    }

    private func number(_ file: String, controller: String? = nil) -> Int? {
        readControl(file, controller: controller).flatMap { Int($0.split(whereSeparator: \.isWhitespace).first ?? "") }
    }

    /// A file of this process's cgroup; in a container, its own is mounted at the top.
    private func readControl(_ file: String, controller: String? = nil) -> String? {
        let mount = "/sys/fs/cgroup" + (controller.map { "/\($0)" } ?? "")
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",").map(String.init)
            guard controller.map(controllers.contains) ?? controllers.isEmpty else { continue }
            if let text = read("\(mount)\(parts[2])/\(file)") { return text }
        }
        return read("\(mount)/\(file)")
    }

    func read(_ path: String) -> String? {
        let descriptor = open(root + path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < Self.fileBytesMax {
            let count = systemRead(descriptor, &chunk)
            if count <= 0 { break }
            bytes += chunk[0..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What follows `key` and the separator on its line.
    private static func value(of key: String, in text: String, separator: Character) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            guard let end = line.firstIndex(of: separator) else { continue }
            guard line[..<end].trimmingBlanks == key else { continue }
            return line[line.index(after: end)...].trimmingBlanks
        }
        return nil
    }

    static func kibibytes(_ key: String, _ text: String) -> Int? {
        guard let word = value(of: key, in: text, separator: ":")?.split(separator: " ").first, let count = Int(word),
            (0...Int.max / 1024).contains(count)
        else { return nil }
        return count * 1024
    }

    /// `0-3,8`.
    static func cpuList(_ text: String) -> [Int]? {
        var cpus: [Int] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, (0...last).contains(first), last < 1 << 16 else {
                return nil
            }
            cpus += first...last
        }
        return cpus
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int { read(descriptor, &buffer, buffer.count) }

extension Substring {
    fileprivate var trimmingBlanks: String {
        var text = self
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop(while: \.isWhitespace))
    }
}
