/// Reads the `workers` list.
struct WorkersReader {
    let parent: ClusterConfigurationReader

    private static let known = [
        "name", "start", "host", "ssh", "program", "device", "threads", "cpus", "memory", "mode", "packed_cache",
        "layers",
        "bind", "advertise", "models", "cache",
    ]

    /// What a worker that somebody else starts is told by its own flags, which have these names.
    private static let ownFlags = ["threads", "cpus", "memory", "bind", "advertise", "models", "cache"]

    func read(_ root: YAMLMapping, policy: PlacementPolicy) -> [WorkerSettings] {
        guard root.value("workers") != nil else {
            root.report("workers", "expected at least one worker, such as [{name: a, device: cpu}], got nothing")
            return []
        }
        let expected = "a list of workers, such as [{name: a, device: cpu}]"
        guard
            let elements = root.list("workers", expected: expected, countMax: ClusterConfiguration.workerCountMax)
        else { return [] }
        if elements.isEmpty { root.report("workers", "expected at least one worker, got an empty list") }
        let mappings = elements.compactMap { parent.mapping($0, known: Self.known) }
        let workers = mappings.map { readWorker($0, policy: policy) }
        checkNames(mappings, workers)
        if policy == .manual, mappings.count == elements.count { checkLayers(mappings, workers) }
        return workers
    }

    private func readWorker(_ worker: YAMLMapping, policy: PlacementPolicy) -> WorkerSettings {
        if worker.value("name") == nil { worker.report("name", "expected a name, got nothing") }
        let name = worker.scalar("name", expected: "letters, digits, - _ . (at most 64)") { _, text in
            Self.isName(text) ? text : nil
        }
        let layers = worker.scalar("layers", expected: "layers such as 20-31 or 0-3,8-11 or 28-31,head") { _, text in
            ConfigurationScalar.layers(text)
        }
        if layers != nil, policy != .manual {
            worker.report("layers", "expected none, as placement.policy is \(policy.rawValue); set it to manual")
        }
        let settings = WorkerSettings(
            name: name ?? "", start: readStart(worker), host: readHost(worker), ssh: readTarget(worker),
            program: worker.string("program", expected: "a path"), device: readDevice(worker),
            threads: worker.integer("threads", 1...1024), cpus: readCPUs(worker), memoryBytes: readMemory(worker),
            mode: readMode(worker), packedCache: readPackedCache(worker), bind: worker.address("bind"),
            advertise: worker.address("advertise"),
            modelFolders: worker.strings("models", expected: "folder") ?? [], layers: layers,
            layersPlace: worker.value("layers")?.place, cacheFolder: worker.string("cache", expected: "a folder"))
        checkStart(worker, settings)
        if let threads = settings.threads, let cpus = settings.cpus, threads > cpus.count {
            worker.report("threads", "expected at most \(cpus.count), as many as cpus names, got \(threads)")
        }
        return settings.start == .local ? onThisMachine(settings) : settings
    }

    /// Paths of a worker of this machine count from the file; those of others are theirs.
    private func onThisMachine(_ settings: WorkerSettings) -> WorkerSettings {
        var settings = settings
        settings.modelFolders = settings.modelFolders.map(parent.path)
        settings.cacheFolder = settings.cacheFolder.map(parent.path)
        settings.packedCache = settings.packedCache.map(parent.path)
        return settings
    }

    private func checkStart(_ worker: YAMLMapping, _ settings: WorkerSettings) {
        switch settings.start {
        case .external:
            for key in Self.ownFlags where worker.value(key) != nil {
                worker.report(key, "expected nothing with start: external; the worker's own --\(key) sets it")
            }
        case .ssh:
            if settings.ssh == nil {
                worker.report("ssh", "expected what ssh is to reach, such as me@10.0.0.2, got nothing")
            }
        case .local:
            for key in ["host", "ssh"] where worker.value(key) != nil {
                worker.report(key, "expected nothing with start: local, which is this machine")
            }
        }
        if settings.start != .ssh, worker.value("program") != nil {
            worker.report("program", "expected nothing without start: ssh; launch --worker names the local program")
        }
        if let advertise = settings.advertise, advertise.isWildcard {
            worker.report("advertise", "expected one address that others can reach, got \(advertise)")
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }

    /// Where it says nothing: over ssh with `ssh`, by somebody else with another host, else here.
    private func readStart(_ worker: YAMLMapping) -> WorkerStart {
        if let start = worker.choice("start", WorkerStart.self) { return start }
        if worker.value("ssh") != nil { return .ssh }
        return worker.value("host") == nil ? .local : .external
    }

    private func readHost(_ worker: YAMLMapping) -> String? {
        worker.scalar("host", expected: "a host name or address") { _, text in
            NetworkAddress(text.contains(":") ? "[\(text)]:0" : "\(text):0").map(\.host)
        }
    }

    /// It becomes an argument of ssh, so it must not look like an option.
    private func readTarget(_ worker: YAMLMapping) -> String? {
        worker.scalar("ssh", expected: "what ssh is to reach, such as me@10.0.0.2") { _, text in
            let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "@.-_:[]%/".contains($0)) }
            return isPlain && !text.isEmpty && !text.hasPrefix("-") ? text : nil
        }
    }

    private func readDevice(_ worker: YAMLMapping) -> String {
        let device = worker.scalar("device", expected: "cpu or cuda:N") { _, text in
            let index = text.hasPrefix("cuda:") ? Int(text.dropFirst(5)) : nil
            return text == "cpu" || index.map { (0..<1024).contains($0) && text == "cuda:\($0)" } == true ? text : nil
        }
        if let device, device != "cpu" {
            worker.report("device", "\(device): not yet, only cpu can compute; shard devices lists what is here")
        }
        return device ?? "cpu"
    }

    private func readCPUs(_ worker: YAMLMapping) -> [Int]? {
        worker.scalar("cpus", expected: "CPU numbers such as \"0\" or \"0-3\", none twice") { _, text in
            ConfigurationScalar.cpus(text)
        }
    }

    private func readMemory(_ worker: YAMLMapping) -> Int? {
        worker.scalar("memory", expected: "bytes such as 20GiB, at least 1MiB") { _, text in
            ConfigurationScalar.bytes(text).flatMap { $0 >= 1 << 20 ? $0 : nil }
        }
    }

    private func readMode(_ worker: YAMLMapping) -> ResidencyMode {
        let mode = worker.choice("mode", ResidencyMode.self) ?? .simple
        return mode
    }

    /// `off` in YAML is a boolean to some.
    private func readPackedCache(_ worker: YAMLMapping) -> String? {
        guard let folder = worker.string("packed_cache", expected: "off or a folder"),
            !["off", "false"].contains(folder)
        else { return nil }
        if worker.choice("mode", ResidencyMode.self) != .memoryEfficient {
            worker.report("packed_cache", "expected off without mode: memory-efficient, got \(folder)")
        }
        return folder
    }

    private func checkNames(_ mappings: [YAMLMapping], _ workers: [WorkerSettings]) {
        var lines: [String: Int] = [:]
        for (mapping, worker) in zip(mappings, workers) where !worker.name.isEmpty {
            let place = mapping.place(of: "name")
            if let line = lines[worker.name] {
                mapping.report("name", "expected a name of its own, got \"\(worker.name)\" as on line \(line)")
            } else {
                lines[worker.name] = place.line
            }
        }
    }

    /// Every layer from 0 on is on exactly one worker; how many there are only the model says.
    private func checkLayers(_ mappings: [YAMLMapping], _ workers: [WorkerSettings]) {
        var runs: [(range: Range<Int>, name: String, mapping: YAMLMapping)] = []
        var heads = 0
        for (mapping, worker) in zip(mappings, workers) {
            guard let layers = worker.layers else {
                if mapping.value("layers") == nil {
                    mapping.report("layers", "expected layers such as 0-3, as placement.policy is manual, got nothing")
                }
                return
            }
            runs += layers.ranges.map { ($0, worker.name, mapping) }
            heads += layers.includesHead ? 1 : 0
            if heads > 1 { mapping.report("layers", "expected the head on one worker, got it on two") }
        }
        var next = 0
        var holder = ""
        for run in runs.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            if run.range.lowerBound > next {
                let missing = LayerSelection(ranges: [next..<run.range.lowerBound])
                run.mapping.report("layers", "layers \(missing) are on no worker")
            } else if run.range.lowerBound < next {
                let shared = LayerSelection(ranges: [run.range.lowerBound..<min(next, run.range.upperBound)])
                run.mapping.report("layers", "layers \(shared) are on \(holder) and on \(run.name)")
            }
            if run.range.upperBound > next {
                next = run.range.upperBound
                holder = run.name
            }
        }
    }
}
