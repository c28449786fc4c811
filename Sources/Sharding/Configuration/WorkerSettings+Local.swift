extension WorkerSettings {
    /// A worker on this machine's loopback, started by whoever runs the cluster.
    package init(local name: String, threads: Int? = nil) {
        self.init(
            name: name, start: .local, device: "cpu", threads: threads, cpus: nil, memoryBytes: nil, mode: .simple,
            bind: nil, advertise: nil, modelFolders: [], layers: nil, layersPlace: nil)
    }
}
