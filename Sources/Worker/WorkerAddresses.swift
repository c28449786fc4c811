import ZeroMQ

/// Reads the addresses that a worker is told, which stay on loopback unless it has keys.
struct WorkerAddresses {
    let name: String
    let isSecured: Bool

    func coordinator(_ text: String) throws(WorkerError) -> Endpoint {
        let endpoint = try endpoint(text, "--coordinator")
        guard endpoint.port > 0 else {
            throw WorkerError(.configuration, place: "--coordinator", "expected a port from 1 to 65535, got 0")
        }
        guard !endpoint.isWildcard else {
            throw WorkerError(
                .configuration, place: "--coordinator", "expected the address of one machine, got \(endpoint)")
        }
        return endpoint
    }

    func endpoint(_ text: String, _ option: String) throws(WorkerError) -> Endpoint {
        guard let endpoint = Endpoint(text) else {
            throw WorkerError(.configuration, place: option, "expected tcp://HOST:PORT, got \"\(text)\"")
        }
        guard endpoint.isLoopback || isSecured else {
            throw WorkerError(
                .configuration, place: option,
                "\(endpoint) is beyond loopback, which needs keys; make them with: shard-worker keygen --name \(name), "
                    + "and give --key and --coordinator-key")
        }
        return endpoint
    }

    /// The address by which this machine reaches the coordinator, and any free port.
    func bind(toward coordinator: Endpoint) throws(WorkerError) -> Endpoint {
        guard !coordinator.isLoopback else { return .loopback() }
        do {
            return Endpoint(host: try LocalAddress.toward(host: coordinator.host, port: coordinator.port), port: 0)
        } catch {
            throw WorkerError(.configuration, place: "--coordinator", "\(error)")
        }
    }
}
