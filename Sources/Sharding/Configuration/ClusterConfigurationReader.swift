import Foundation

/// Turns a document into a ``ClusterConfiguration`` and collects every problem on the way.
///
/// Wrong values are replaced by defaults so that reading goes on; whoever calls it looks at ``problems`` first.
final class ClusterConfigurationReader {
    private static let durationMax = Duration.seconds(24 * 3600)

    private static let coordinatorKeys = ["bind", "advertise", "results", "weights", "http", "api_keys", "tls"]

    let problems = ConfigurationProblems()
    private let document: YAMLDocument
    private let folder: String

    init(document: YAMLDocument, folder: String) {
        self.document = document
        self.folder = folder
    }

    func read() -> ClusterConfiguration? {
        let sections = [
            "version", "model", "coordinator", "serving", "security", "placement", "workers", "failure",
        ]
        guard let root = mapping(YAMLValue(document.root, key: ""), known: sections) else { return nil }
        if root.value("version") == nil {
            root.report("version", "expected 1, got nothing; the first line of a cluster.yaml is version: 1")
        } else if let version = root.integer("version", 1...Int.max), version != 1 {
            root.report("version", "expected 1, got \(version)")
        }
        let model = readModel(root)
        let coordinator = readCoordinator(root)
        let serving = readServing(root)
        let security = SecurityReader(parent: self)
        let keys = security.read(root)
        let placement = readPlacement(root)
        let workers = WorkersReader(parent: self).read(root, policy: placement.policy)
        security.check(root, keys, coordinator, workers)
        let failure = readFailure(root)
        return ClusterConfiguration(
            model: model, coordinator: coordinator, serving: serving, security: keys, placement: placement,
            workers: workers, failure: failure)
    }

    func mapping(_ value: YAMLValue, known: [String]) -> YAMLMapping? {
        YAMLMapping(value, known: known, duplicates: document.duplicates, problems: problems)
    }

    /// A section of the root; nil where it is absent.
    func section(_ root: YAMLMapping, _ name: String, _ known: [String]) -> YAMLMapping? {
        root.value(name).flatMap { mapping($0, known: known) }
    }

    private func readModel(_ root: YAMLMapping) -> ClusterConfiguration.ModelSettings {
        let place = root.place(of: "model")
        var settings = ClusterConfiguration.ModelSettings(
            name: "", source: "", sourcePlace: place, context: nil, contextPlace: place, cacheType: .f16)
        guard root.value("model") != nil else {
            root.report("model", "expected {source: FILE}, got nothing")
            return settings
        }
        guard let model = section(root, "model", ["name", "source", "context", "kv_type"]) else { return settings }
        if model.value("source") == nil {
            model.report("source", "expected a GGUF file, a shard folder or a Hugging Face directory, got nothing")
        }
        settings.source = path(model.string("source", expected: "a path") ?? "")
        let stem = ((settings.source as NSString).lastPathComponent as NSString).deletingPathExtension
        settings.name = model.string("name", expected: "a name") ?? stem
        settings.sourcePlace = model.place(of: "source")
        settings.contextPlace = model.place(of: "context")
        settings.context = model.integer("context", 1...(1 << 24))
        settings.cacheType = model.choice("kv_type", CacheElementType.self) ?? .f16
        return settings
    }

    private func readCoordinator(_ root: YAMLMapping) -> ClusterConfiguration.CoordinatorSettings {
        let section = section(root, "coordinator", Self.coordinatorKeys)
        let bind = section?.address("bind") ?? NetworkAddress(host: "127.0.0.1", port: 5555)
        let free = NetworkAddress(host: bind.host, port: 0)
        let settings = ClusterConfiguration.CoordinatorSettings(
            bind: bind, advertise: section?.address("advertise"), results: section?.address("results") ?? free,
            weights: section?.address("weights") ?? free,
            http: section?.addressWithoutScheme("http") ?? NetworkAddress(host: "127.0.0.1", port: 8080),
            apiKeys: section?.string("api_keys", expected: "a file of API keys").map(path),
            tls: section.flatMap(readTLS))
        guard let section else { return settings }
        if !settings.http.isLoopback, section.value("api_keys") == nil {
            section.report(
                "http",
                "\(settings.http) is beyond loopback, which needs API keys; make one with: shard-coordinator keygen "
                    + "--api-key NAME -o keys, and set coordinator.api_keys: keys/\(APIKeyFile.name)")
        }
        if let advertise = settings.advertise, advertise.isWildcard {
            section.report("advertise", "expected one address that workers can reach, got \(advertise)")
        }
        let ports = [("results", settings.results), ("weights", settings.weights), ("http", settings.http)]
        for (index, (key, address)) in ports.enumerated() where address.port != 0 {
            let others = [("bind", settings.bind)] + ports[..<index]
            if let (other, _) = others.first(where: { $0.1.port == address.port }) {
                section.report(key, "expected another port than \(other)'s, got \(address.port) for both")
            }
        }
        return settings
    }

    private func readTLS(_ coordinator: YAMLMapping) -> ClusterConfiguration.TLSSettings? {
        let keys = ["certificate", "key"]
        guard let section = section(coordinator, "tls", keys) else { return nil }
        for key in keys where section.value(key) == nil {
            section.report(key, "expected a PEM file, got nothing")
        }
        guard let certificate = section.string("certificate", expected: "a PEM file"),
            let key = section.string("key", expected: "a PEM file")
        else { return nil }
        return ClusterConfiguration.TLSSettings(certificate: path(certificate), key: path(key))
    }

    private func readServing(_ root: YAMLMapping) -> ClusterConfiguration.ServingSettings {
        let section = section(root, "serving", ["max_sequences", "queue", "gap_max", "prefix_cache"])
        return ClusterConfiguration.ServingSettings(
            sequenceCountMax: section?.integer("max_sequences", 1...4096) ?? 64,
            queueCountMax: section?.integer("queue", 0...(1 << 20)) ?? 256,
            gapMax: section?.duration("gap_max", .milliseconds(1)...Self.durationMax, "from 1ms to 24h")
                ?? .milliseconds(100),
            sharesPrefixes: section?.boolean("prefix_cache") ?? true)
    }

    private func readPlacement(_ root: YAMLMapping) -> ClusterConfiguration.PlacementSettings {
        let section = section(root, "placement", ["policy", "objective", "reserve"])
        return ClusterConfiguration.PlacementSettings(
            policy: section?.choice("policy", PlacementPolicy.self) ?? .balanced,
            objective: section?.choice("objective", PlacementObjective.self) ?? .mixed,
            reserveBytes: section?.scalar("reserve", expected: "bytes such as 512MiB or 1GiB") { _, text in
                ConfigurationScalar.bytes(text)
            } ?? 1 << 30)
    }

    private func readFailure(_ root: YAMLMapping) -> ClusterConfiguration.FailureSettings {
        let section = section(root, "failure", ["heartbeat", "dead_after", "step_deadline", "wait"])
        let hour = Duration.seconds(3600)
        let settings = ClusterConfiguration.FailureSettings(
            heartbeat: section?.duration("heartbeat", .milliseconds(100)...hour, "from 100ms to 1h")
                ?? .milliseconds(500),
            deadAfter: section?.duration("dead_after", .milliseconds(400)...hour, "from 400ms to 1h") ?? .seconds(2),
            stepDeadline: section?.duration("step_deadline", .seconds(1)...Self.durationMax, "from 1s to 24h")
                ?? .seconds(30),
            wait: section?.duration("wait", .zero...Self.durationMax, "from 0s to 24h") ?? .seconds(30))
        if let section, settings.deadAfter < settings.heartbeat * 2 {
            section.report("dead_after", "expected at least twice the heartbeat, got less")
        }
        return settings
    }

    func path(_ text: String) -> String {
        if text.isEmpty || folder.isEmpty || text.hasPrefix("/") { return text }
        return (folder as NSString).appendingPathComponent(text)
    }
}
