extension MachineFiles {
    /// CPUs that are worth a thread each: of those allowed, one of every core (its others share its units), and where cores
    /// differ, only the fast ones. All steps end when their slowest thread does.
    package var computeCPUs: [Int] {
        let allowed = allowedCPUs
        let fast = fastCPUs(of: allowed)
        var seen: Set<Int> = []
        return fast.filter { cpu in
            let siblings = list("/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list") ?? [cpu]
            return seen.insert(siblings.filter(fast.contains).min() ?? cpu).inserted
        }
    }

    /// Without efficiency cores, unless there are no others.
    private func fastCPUs(of cpus: [Int]) -> [Int] {
        // Intel's hybrids list their performance cores.
        if let performance = list("/sys/devices/cpu_core/cpus") {
            let fast = cpus.filter(performance.contains)
            return fast.isEmpty ? cpus : fast
        }
        // Arm gives each a capacity, 1024 the fastest of the machine; little cores have less than half.
        let capacities = cpus.map { cpu in
            read("/sys/devices/system/cpu/cpu\(cpu)/cpu_capacity").flatMap(Self.integer) ?? 1024
        }
        let largest = capacities.max() ?? 1024
        return zip(cpus, capacities).filter { $0.1 * 2 > largest }.map(\.0)
    }

    private func list(_ path: String) -> [Int]? {
        read(path).flatMap { Self.cpuList($0.filter { !$0.isWhitespace }) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func integer(_ text: String) -> Int? { Int(text.filter { !$0.isWhitespace }) }
}
