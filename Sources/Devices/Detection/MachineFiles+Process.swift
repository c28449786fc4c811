import CLinux

/// What a process holds, as the kernel counts it.
package struct ProcessMemory: Sendable, Hashable {
    /// Pages in memory: its own, those of files that it maps, and shared ones.
    package var residentBytes: Int
    /// Of those, pages of files.
    package var fileBytes: Int
    /// The most that was resident since the start, or since it was last reset.
    package var peakBytes: Int
}

extension MachineFiles {
    /// Of this process; nil where the kernel does not say.
    package var processMemory: ProcessMemory? { memory(ofProcess: "self") }

    /// Of a process by its number, or of this one by `self`.
    package func memory(ofProcess process: String) -> ProcessMemory? {
        guard let status = read("/proc/\(process)/status"), let resident = Self.kibibytes("VmRSS", status) else {
            return nil
        }
        return ProcessMemory(
            residentBytes: resident, fileBytes: Self.kibibytes("RssFile", status) ?? 0,
            peakBytes: Self.kibibytes("VmHWM", status) ?? resident)
    }

    /// What this process holds and makes the system hold: of its program and libraries the kernel reads more into the page
    /// cache than the process ever looks at.
    package var heldBytes: Int {
        guard let memory = processMemory else { return 0 }
        let programBytes = programMappings.reduce(0) { sum, mapping in
            sum + max(0, Int(shard_mapped_bytes_present(mapping.addresses.lowerBound, mapping.addresses.count)))
        }
        return memory.residentBytes + max(0, programBytes - memory.fileBytes)
    }

    struct FileMapping: Sendable, Hashable {
        var path: String
        var addresses: Range<UInt>
    }

    /// Where this process maps the files that it runs code from.
    var programMappings: [FileMapping] {
        var all: [FileMapping] = []
        var programs: Set<String> = []
        for line in (read("/proc/self/maps") ?? "").split(separator: "\n") {
            // first-end permissions offset device inode path: which alone has slashes, and may have blanks
            let fields = line.split(separator: " ")
            let bounds = fields.first?.split(separator: "-").compactMap { UInt($0, radix: 16) } ?? []
            guard let start = line.firstIndex(of: "/"), bounds.count == 2, bounds[0] < bounds[1] else { continue }
            let mapping = FileMapping(path: String(line[start...]), addresses: bounds[0]..<bounds[1])
            all.append(mapping)
            if fields[1].contains("x") { programs.insert(mapping.path) }
        }
        return all.filter { programs.contains($0.path) }
    }
}
