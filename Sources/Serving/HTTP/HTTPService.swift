import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Sharding
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The HTTP server over one engine, as a service: it runs until its task is cancelled or its service group shuts
/// down gracefully, when running answers get ``ServingLimits/drain`` to end.
package struct HTTPService: Service {
    private let address: ListenAddress
    private let limits: ServingLimits
    private let routes: Routes
    private let statistics = HTTPStatistics()
    private let access: APIAccess?
    private let certificate: ServerCertificate?
    private let logger: Logger
    private let whenListening: @Sendable (_ port: Int) async -> Void

    /// - Parameters:
    ///   - access: who may use it; nil for everybody, which an address beyond loopback must not be.
    ///   - certificate: nil for HTTP in clear.
    ///   - whenListening: called once the port is bound, with its number.
    ///   - now: Unix time in seconds.
    ///   - random: keys the sampling of requests that bring no seed.
    package init(
        engine: any TokenEngine, model: ServedModel, address: ListenAddress, access: APIAccess? = nil,
        certificate: ServerCertificate? = nil, limits: ServingLimits = ServingLimits(), logger: Logger,
        now: @escaping @Sendable () -> Int = { time(nil) },
        random: @escaping @Sendable () -> UInt64 = { .random(in: 0...UInt64.max) },
        whenListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        precondition(address.isLoopback || access != nil, "an address beyond loopback comes with keys")
        self.address = address
        self.access = access
        self.certificate = certificate
        self.limits = limits
        self.logger = logger
        self.whenListening = whenListening
        routes = Routes(
            engine: engine, model: model, limits: limits, register: GenerationRegister(), now: now, random: random)
    }

    /// - Throws: ``ServingError`` that names the address when it cannot be listened on.
    package func run() async throws {
        let register = routes.register
        let drain = limits.drain
        let application = application
        do {
            try await withGracefulShutdownHandler {
                try await application.run()
            } onGracefulShutdown: {
                Task {
                    try await Task.sleep(for: drain)
                    register.endAll(ServingError(.unavailable, nil, "the server is stopping"))
                }
            }
        } catch let error as IOError {
            throw ServingError(.bind, "\(address)", Self.reason(error))
        } catch is SocketAddressError.UnknownHost {
            throw ServingError(.bind, "\(address)", "no such host; use one of this machine's addresses")
        }
    }

    /// Answers running now.
    package var runningCount: Int { routes.register.count }

    package var application: some ApplicationProtocol {
        let router = Router(context: ServingContext.self)
        router.add(middleware: ErrorResponder(limits: limits, statistics: statistics))
        // A name that leads elsewhere is a trick on loopback only.
        if address.isLoopback { router.add(middleware: HostGuard()) }
        if let access { router.add(middleware: KeyGuard(access: access, openPaths: Routes.openPaths)) }
        routes.add(to: router)
        OperationsRoutes(engine: routes.engine, statistics: statistics).add(to: router)
        let whenListening = whenListening
        return Application(
            router: router, server: server,
            configuration: .init(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: .maximum(limits.connectionsMax, logger: logger)),
            onServerRunning: { channel in await whenListening(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    private var server: HTTPServerBuilder {
        let (limits, statistics) = (limits, statistics)
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionCounter(statistics), ConnectionWatch(limits: limits), ParserErrorBody(limits: limits),
            ],
            idleTimeout: TimeAmount(limits.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerBytesMax, maxHeaderListSize: limits.headerBytesMax,
                maxHeaderFieldCount: limits.headerCountMax))
        guard let certificate else { return .http1(configuration: configuration) }
        return HTTPServerBuilder { responder in
            TLSConnections(
                base: HTTP1Channel(responder: responder, configuration: configuration), certificate: certificate)
        }
    }

    private static func reason(_ error: IOError) -> String {
        switch error.errnoCode {
        case EADDRINUSE: "address in use; stop what listens there, or choose another port"
        case EACCES: "not allowed to listen there; choose a port above 1023"
        case EADDRNOTAVAIL: "no such address on this machine; use 127.0.0.1"
        default: "cannot listen: \(error)"
        }
    }
}
