import Sharding

/// Units for machines that systemd runs: a service for the coordinator, and a template with an instance for each worker.
/// The files lie as they lie below `/`.
struct SystemdUnits {
    private static let unitFolder = "etc/systemd/system"
    private static let runFolder = "/run/shard-coordinator"

    private let deployment: Deployment
    private var programs: String { deployment.programFolder ?? "/usr/local/bin" }

    init(_ deployment: Deployment) { self.deployment = deployment }

    func files() throws(CoordinatorError) -> [EmittedFile] {
        try check()
        let address = try coordinatorAddress()
        let key = deployment.keys.coordinatorKey.map(DeploymentKeys.publicText)
        var files = [
            EmittedFile("\(Self.unitFolder)/shard-coordinator.service", coordinator),
            EmittedFile("\(Self.unitFolder)/shard-worker@.service", worker),
            EmittedFile(
                "etc/shard/cluster.yaml", try ClusterFile(configuration: configuration).text(head: clusterHead)),
            EmittedFile("etc/shard/coordinator.pub", key ?? "# REPLACE: the text of coordinator.pub\n"),
        ]
        for worker in deployment.workers {
            files.append(EmittedFile("etc/shard/workers/\(worker.name).env", environment(of: worker, address)))
            guard let limits = limits(of: worker) else { continue }
            files.append(EmittedFile("\(Self.unitFolder)/shard-worker@\(worker.name).service.d/limits.conf", limits))
        }
        return files
    }

    private func check() throws(CoordinatorError) {
        for path in deployment.paths where path.contains(":") || path.contains("\\") {
            throw CoordinatorError(
                .configuration,
                "\(path): expected a path without colons and backslashes, which part paths in systemd's files, got one")
        }
    }

    /// What workers are told.
    private func coordinatorAddress() throws(CoordinatorError) -> NetworkAddress {
        let settings = deployment.configuration.coordinator
        let address = settings.advertise ?? settings.bind
        guard !address.isWildcard else {
            throw CoordinatorError(
                .configuration,
                "coordinator.advertise: expected the address at which workers reach the coordinator, as bind is "
                    + "\(settings.bind); got none")
        }
        return NetworkAddress(host: address.host, port: deployment.controlPort)
    }

    private var configuration: ClusterConfiguration {
        let settings = deployment.configuration
        return deployment.configuration(
            host: settings.coordinator.bind.host, source: settings.model.source, keyFolder: Self.runFolder)
    }

    private func comments(_ lines: [String]) -> String {
        lines.map { EmittedFile.comment($0) + "\n" }.joined()
    }

    private var clusterHead: [String] {
        ["For shard-coordinator.service; made by shard-coordinator emit systemd."]
            + deployment.keys.missing(of: deployment.workers.map(\.name), needsSecrets: false)
    }

    // MARK: - Coordinator

    private var coordinator: String {
        comments([
            "The coordinator of \(deployment.configuration.model.name), made by shard-coordinator emit systemd.",
            "",
            "Install:  as root, on its machine: copy this folder's etc to /etc, the programs to \(programs),",
            "          and coordinator.key to /etc/shard/keys (mode 0600, of root)",
            "Start:    systemctl daemon-reload && systemctl enable --now shard-coordinator",
            "Ask:      curl http://127.0.0.1:\(deployment.httpPort)/v1/models     on that machine",
            "Watch:    journalctl -fu shard-coordinator",
            "Keys:     systemctl reload shard-coordinator     after a change of security.workers in /etc/shard/cluster.yaml",
            "Stop:     systemctl stop shard-coordinator       running answers end first",
            "",
            "The model must be readable for everybody, as the service's user exists while it runs only. HTTP answers on",
            "loopback only, as there are no API keys yet: every user of the machine can ask.",
            "Firewall: workers come in at \(deployment.portList).",
        ])
            + """
            [Unit]
            Description=Coordinator of a language model over several workers
            Wants=network-online.target
            After=network-online.target
            StartLimitIntervalSec=600
            StartLimitBurst=10

            [Service]
            Type=exec
            LoadCredential=coordinator.key:/etc/shard/keys/coordinator.key
            RuntimeDirectory=shard-coordinator
            RuntimeDirectoryMode=0700
            CacheDirectory=shard-coordinator
            Environment=XDG_CACHE_HOME=%C/shard-coordinator
            # Access lists make a credential look as if others could read it, so it is copied to where nobody else can.
            ExecStartPre=/bin/sh -c 'umask 077 && cat "$$CREDENTIALS_DIRECTORY/coordinator.key" >\(Self.runFolder)/coordinator.key'
            ExecStart=\(UnitText.word("\(programs)/shard-coordinator")) launch --config /etc/shard/cluster.yaml
            ExecReload=/bin/kill -HUP $MAINPID
            TimeoutStopSec=90
            \(hardening(isWorker: false))
            [Install]
            WantedBy=multi-user.target

            """
    }

    // MARK: - Workers

    private var worker: String {
        comments([
            "A worker; its name stands behind the @. Made by shard-coordinator emit systemd.",
            "",
            "Install:  as root, on its machine: copy this folder's etc to /etc, the programs to \(programs),",
            "          and NAME.key to /etc/shard/keys (mode 0600, of root)",
            "Start:    systemctl daemon-reload && systemctl enable --now shard-worker@NAME",
            "          NAME is one of: \(deployment.workers.map(\.name).joined(separator: ", "))",
            "Watch:    journalctl -fu shard-worker@NAME",
            "Stop:     systemctl stop shard-worker@NAME",
            "",
            "Its coordinator and flags stand in /etc/shard/workers/NAME.env. It may start before the coordinator: it waits,",
            "and joins again when the coordinator comes back.",
        ])
            + """
            [Unit]
            Description=Worker %i of a language model over several workers
            Wants=network-online.target
            After=network-online.target
            StartLimitIntervalSec=600
            StartLimitBurst=10

            [Service]
            Type=exec
            LoadCredential=worker.key:/etc/shard/keys/%i.key
            EnvironmentFile=/etc/shard/workers/%i.env
            CacheDirectory=shard-worker-%i
            Environment=XDG_CACHE_HOME=%C/shard-worker-%i
            # The key comes through standard input: access lists make a credential look as if others could read it.
            ExecStart=/bin/sh -c 'exec "$$0" "$$@" --key - <"$$CREDENTIALS_DIRECTORY/worker.key"' \\
                \(UnitText.word("\(programs)/shard-worker")) --name %i --coordinator ${SHARD_COORDINATOR} \\
                --coordinator-key /etc/shard/coordinator.pub $SHARD_FLAGS
            TimeoutStopSec=30
            \(hardening(isWorker: true))
            [Install]
            WantedBy=multi-user.target

            """
    }

    private func environment(of worker: WorkerSettings, _ address: NetworkAddress) -> String {
        var flags = WorkerFlags.flags(of: worker, models: [deployment.modelFolder])
        if let bind = worker.bind { flags += ["--bind", bind.endpoint] }
        if let advertise = worker.advertise { flags += ["--advertise", advertise.endpoint] }
        return comments([
            "Worker \(worker.name); read by shard-worker@\(worker.name).service.",
            "Take out --models where the machine has no such folder: the layers then come over the wire.",
            "Other workers come in at the port of --bind tcp://ADDRESS:PORT; without it that is any free port.",
        ])
            + UnitText.variable("SHARD_COORDINATOR", address.endpoint)
            + UnitText.variable("SHARD_FLAGS", flags.map(UnitText.flag).joined(separator: " "))
    }

    private func limits(of worker: WorkerSettings) -> String? {
        worker.memoryBytes.map { bytes in
            comments([
                "From memory in cluster.yaml, with \(DeploymentPlaces.overheadBytes >> 20) MiB for the process itself."
            ])
                + "[Service]\nMemoryMax=\(bytes.addingReportingOverflow(DeploymentPlaces.overheadBytes).partialValue)\n"
        }
    }

    // MARK: - Both

    private func hardening(isWorker: Bool) -> String {
        let usesGPU = isWorker && deployment.workers.contains { WorkerFlags.gpu(of: $0) != nil }
        let folders = Set([deployment.modelFolder] + (isWorker ? deployment.workers.flatMap(\.modelFolders) : []))
        let homes = folders.filter { path in ["/home/", "/root/", "/run/user/"].contains { path.hasPrefix($0) } }
            .sorted()
        return SystemdHardening.settings(homes: homes, usesGPU: usesGPU, makesCode: !isWorker)
    }
}
