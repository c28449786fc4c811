extension WorkerSettings {
    /// A worker on this machine's loopback, started by whoever runs the cluster.
    package init(local name: String, threads: Int? = nil) {
        self.init(
            name: name, start: .local, device: "cpu", threads: threads, mode: .simple, modelFolders: [])
    }
}
