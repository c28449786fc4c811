import Logging
import ServiceLifecycle
import Serving
import Sharding
import Terminal

/// The HTTP API of a launch, from the bound port to the last answer.
struct HTTPFront: Sendable {
    /// `http://127.0.0.1:8080`, with the port that was taken.
    let url: String
    private let group: ServiceGroup
    private let task: Task<Void, any Error>

    /// Returns when the port is bound.
    static func start(
        _ engine: any TokenEngine, _ model: ServedModel, at address: NetworkAddress, files: HTTPFiles, logger: Logger
    ) async throws -> HTTPFront {
        let (listening, continuation) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingOldest(1))
        let service: HTTPService
        do {
            // libzmq's word for every address.
            let host = address.host == "*" ? "0.0.0.0" : address.host
            service = HTTPService(
                engine: engine, model: model,
                address: try ListenAddress(host: host, port: address.port, hasKeys: files.access != nil),
                access: files.access, certificate: files.certificate, logger: logger,
                whenListening: { continuation.yield($0) })
        } catch {
            throw ProgramError(.configuration, "coordinator.http: \(error)")
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: logger))
        let task = Task {
            defer { continuation.finish() }
            try await group.run()
        }
        let scheme = files.certificate == nil ? "http" : "https"
        for await port in listening {
            if !address.isLoopback, files.certificate == nil {
                logger.warning("HTTP beyond this machine is in clear: who sees the network sees keys and prompts")
            }
            let address = NetworkAddress(host: address.host, port: port)
            return HTTPFront(url: "\(scheme)://\(address)", group: group, task: task)
        }
        do {
            try await task.value
        } catch {
            throw ProgramError(.failedWhileRunning, "coordinator.http: \(error)")
        }
        throw ProgramError(.failedWhileRunning, "coordinator.http: \(address): ended before it listened")
    }

    /// Takes no more connections; answers that run get the server's drain time.
    func stop() async { await group.triggerGracefulShutdown() }

    func ended() async throws { try await task.value }
}
