import Sharding

/// Writes `cluster.yaml` for a cluster whose workers an engine starts, so that reading it gives the same settings.
///
/// What a worker is told by its own flags is left out; see ``WorkerFlags``.
struct ClusterFile {
    var configuration: ClusterConfiguration

    enum Section: String, CaseIterable {
        case model, coordinator, serving, security, placement, workers, failure
    }

    /// - Parameter sections: the others are for somebody else to add.
    func text(head: [String] = [], sections: [Section] = Section.allCases) throws(CoordinatorError) -> String {
        let pairs = sections.map { ($0.rawValue, tree(of: $0)) }
        return try YAMLTree.file(head: head, [.mapping([("version", 1)] + pairs)])
    }

    private func tree(of section: Section) -> YAMLTree {
        switch section {
        case .model: model
        case .coordinator: coordinator
        case .serving:
            [
                "max_sequences": .number(configuration.serving.sequenceCountMax),
                "queue": .number(configuration.serving.queueCountMax),
                "gap_max": .text(Self.duration(configuration.serving.gapMax)),
                "prefix_cache": .flag(configuration.serving.sharesPrefixes),
            ]
        case .security: security
        case .placement:
            [
                "policy": .text(configuration.placement.policy.rawValue),
                "objective": .text(configuration.placement.objective.rawValue),
                "reserve": .text(Self.bytes(configuration.placement.reserveBytes)),
            ]
        case .workers: .list(configuration.workers.map(Self.worker))
        case .failure: failure
        }
    }

    private var model: YAMLTree {
        [
            "name": .text(configuration.model.name), "source": .text(configuration.model.source),
            "context": configuration.model.context.map { .number($0) },
            "kv_type": .text(configuration.model.cacheType.rawValue),
        ]
    }

    private var coordinator: YAMLTree {
        let settings = configuration.coordinator
        return [
            "bind": .text(settings.bind.endpoint), "advertise": settings.advertise.map { .text($0.endpoint) },
            "results": .text(settings.results.endpoint), "weights": .text(settings.weights.endpoint),
            "http": .text(settings.http.description), "api_keys": settings.apiKeys.map { .text($0) },
            "tls": settings.tls.map { ["certificate": .text($0.certificate), "key": .text($0.key)] },
        ]
    }

    private var security: YAMLTree {
        let keys = configuration.security.workerKeys.sorted { $0.key < $1.key }
        return [
            "key_dir": configuration.security.keyFolder.map { .text($0) },
            "workers": keys.isEmpty ? nil : .mapping(keys.map { ($0.key, .text($0.value.description)) }),
        ]
    }

    private var failure: YAMLTree {
        let settings = configuration.failure
        return [
            "heartbeat": .text(Self.duration(settings.heartbeat)),
            "dead_after": .text(Self.duration(settings.deadAfter)),
            "step_deadline": .text(Self.duration(settings.stepDeadline)),
            "wait": .text(Self.duration(settings.wait)),
        ]
    }

    private static func worker(_ worker: WorkerSettings) -> YAMLTree {
        [
            "name": .text(worker.name), "start": .text(WorkerStart.external.rawValue),
            "host": worker.host.map { .text($0) }, "device": .text(worker.device),
            "layers": worker.layers.map { .text($0.description) },
        ]
    }

    static func bytes(_ count: Int) -> String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20)] where count > 0 && count.trailingZeroBitCount >= shift {
            return "\(count >> shift)\(unit)"
        }
        return "\(count)"
    }

    /// Whole milliseconds where that loses nothing, else microseconds, which the file's unit of time can express.
    static func duration(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        return microseconds % 1000 == 0 ? "\(microseconds / 1000)ms" : "\(microseconds)us"
    }
}
