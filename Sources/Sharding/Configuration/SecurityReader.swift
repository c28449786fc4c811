import ZeroMQ

/// Reads `security`, and checks that what reaches beyond loopback has the keys for it.
struct SecurityReader {
    let parent: ClusterConfigurationReader

    private static let makeKeys =
        "make them with: shard-coordinator keygen -o keys, and set security.key_dir: keys"

    func read(_ root: YAMLMapping) -> ClusterConfiguration.SecuritySettings {
        var settings = ClusterConfiguration.SecuritySettings(
            keyFolder: nil, keyFolderPlace: root.place(of: "security"), workerKeys: [:])
        guard let section = parent.section(root, "security", ["key_dir", "workers"]) else { return settings }
        settings.keyFolder = section.string("key_dir", expected: "a folder").map(parent.path)
        settings.keyFolderPlace = section.place(of: "key_dir")
        if let workers = keys(section) {
            var names: [CurvePublicKey: String] = [:]
            for (name, value) in workers {
                guard let key = key(value) else { continue }
                if let other = names[key] {
                    parent.problems.add(value.place, "expected a key of its own, got that of \(other)")
                }
                names[key] = name
                settings.workerKeys[name] = key
            }
        }
        return settings
    }

    /// The entries of `security.workers`, by name.
    private func keys(_ section: YAMLMapping) -> [(name: String, key: YAMLValue)]? {
        guard let workers = section.value("workers") else { return nil }
        guard case .mapping(let mapping) = workers.node else {
            parent.problems.add(workers.place, "expected {NAME: \"PUBLIC KEY\", …}, got \(workers.found)")
            return nil
        }
        guard mapping.count <= ClusterConfiguration.workerCountMax else {
            parent.problems.add(
                workers.place,
                "expected at most \(ClusterConfiguration.workerCountMax) entries, got \(mapping.count)")
            return nil
        }
        let names: [String] = mapping.compactMap { $0.key.scalar?.string }
        guard let entries = parent.mapping(workers, known: names) else { return nil }
        return names.sorted().compactMap { name in entries.value(name).map { (name, $0) } }
    }

    private func key(_ value: YAMLValue) -> CurvePublicKey? {
        guard let key = value.text.flatMap({ CurvePublicKey($0) }) else {
            parent.problems.add(
                value.place, "expected a public key of 40 characters, as keygen prints it, got \(value.found)")
            return nil
        }
        guard !key.isPrintedInManual else {
            parent.problems.add(value.place, "expected a key of its own, got one whose secret libzmq's manual prints")
            return nil
        }
        return key
    }

    /// Once all sections were read.
    func check(
        _ root: YAMLMapping, _ security: ClusterConfiguration.SecuritySettings,
        _ coordinator: ClusterConfiguration.CoordinatorSettings, _ workers: [WorkerSettings]
    ) {
        let names = Set(workers.map(\.name))
        if let section = parent.section(root, "security", ["key_dir", "workers"]), let keys = keys(section) {
            for (name, value) in keys where !names.contains(name) {
                let known = workers.map(\.name).prefix(8).joined(separator: ", ")
                parent.problems.add(value.place, "expected the name of a worker (\(known)), got \"\(name)\"")
            }
            if security.keyFolder == nil, !keys.isEmpty {
                section.report(
                    "workers", "expected security.key_dir beside it, with the coordinator's own key, got none")
            }
        }
        checkAddresses(root, security, coordinator)
        checkReach(root, coordinator)
        guard let elements = root.list("workers", expected: "", countMax: ClusterConfiguration.workerCountMax) else {
            return
        }
        for (element, worker) in zip(elements, workers) {
            check(element, worker, security, coordinator)
        }
    }

    private func checkAddresses(
        _ root: YAMLMapping, _ security: ClusterConfiguration.SecuritySettings,
        _ coordinator: ClusterConfiguration.CoordinatorSettings
    ) {
        guard security.keyFolder == nil,
            let section = root.value("coordinator").map({ YAMLValue($0.node, key: "coordinator") })
        else { return }
        let addresses = [
            ("bind", coordinator.bind), ("results", coordinator.results), ("weights", coordinator.weights),
        ]
        // The others follow bind where they are not given.
        guard let (key, address) = addresses.first(where: { !$0.1.isLoopback }) else { return }
        let place = section.node[key].map { YAMLValue($0, key: "coordinator.\(key)").place } ?? section.place
        parent.problems.add(place, "\(address) is beyond loopback, which needs keys; \(Self.makeKeys)")
    }

    /// What listens beside `bind` must be reached from where `bind` is.
    private func checkReach(_ root: YAMLMapping, _ coordinator: ClusterConfiguration.CoordinatorSettings) {
        guard !coordinator.bind.isLoopback, let section = root.value("coordinator") else { return }
        for (key, address) in [("results", coordinator.results), ("weights", coordinator.weights)]
        where address.isLoopback {
            let place = section.node[key].map { YAMLValue($0, key: "coordinator.\(key)").place } ?? section.place
            parent.problems.add(
                place,
                "expected an address that workers of other machines reach, as bind is \(coordinator.bind), got "
                    + "\(address)")
        }
    }

    private func check(
        _ element: YAMLValue, _ worker: WorkerSettings, _ security: ClusterConfiguration.SecuritySettings,
        _ coordinator: ClusterConfiguration.CoordinatorSettings
    ) {
        func place(_ key: String) -> ConfigurationPlace {
            element.node[key].map { YAMLValue($0, key: "\(element.place.key).\(key)").place } ?? element.place
        }
        if security.keyFolder == nil {
            for (key, address) in [("bind", worker.bind), ("advertise", worker.advertise)] {
                guard let address, !address.isLoopback else { continue }
                parent.problems.add(place(key), "\(address) is beyond loopback, which needs keys; \(Self.makeKeys)")
            }
        } else if worker.start == .external, security.workerKeys[worker.name] == nil, !worker.name.isEmpty {
            parent.problems.add(
                place("name"),
                "expected the public key of \(worker.name) under security.workers, got none; run shard-worker keygen "
                    + "--name \(worker.name) on its machine, and paste the line that it prints")
        }
        guard worker.start == .ssh else { return }
        if security.keyFolder == nil {
            parent.problems.add(place("start"), "ssh needs keys; \(Self.makeKeys)")
        } else if coordinator.bind.isLoopback {
            parent.problems.add(
                place("ssh"),
                "expected a coordinator.bind that other machines reach, such as tcp://0.0.0.0:5555, got "
                    + "\(coordinator.bind)")
        } else if coordinator.advertise == nil, coordinator.bind.isWildcard {
            parent.problems.add(
                place("ssh"),
                "expected coordinator.advertise, the address at which that machine reaches this one, as bind is "
                    + "\(coordinator.bind); got none")
        }
    }
}
