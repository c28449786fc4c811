import Logging
import Sharding
import WeightTransfer
import ZeroMQ

/// A worker's part in the traffic with weights: it fetches those that it needs into its cache, and hands out what is
/// there to other workers.
final class WeightExchange: Sendable {
    let store: TensorStore
    let hashes: TensorHashes
    /// Where others fetch.
    let endpoint: Endpoint
    private let server: WeightServer
    private let context: Context
    private let security: WorkerSecurity?
    private let coordinator: Endpoint
    let logger: Logger

    /// nil for a worker without a cache folder.
    ///
    /// - Throws: ``WorkerError`` `.configuration` where the folder cannot be used, `.failed` where no socket can.
    init?(
        _ configuration: WorkerConfiguration, context: Context, admission: Admission?, logger: Logger
    ) throws(WorkerError) {
        guard let folder = configuration.cacheFolder else { return nil }
        self.context = context
        self.logger = logger
        security = configuration.security
        coordinator = configuration.coordinator
        hashes = TensorHashes(cacheFolder: folder)
        do {
            store = try TensorStore(cacheFolder: folder, byteLimit: configuration.cacheBytesMax)
        } catch {
            throw WorkerError(.configuration, place: "--cache", "\(error)")
        }
        var options = WeightServer.Options(bind: Endpoint(host: configuration.bind.host, port: 0))
        if let security { options.secure(security.keys, admission) }
        do {
            server = try WeightServer(options, offer: WeightOffer(store: store), context: context, logger: logger)
        } catch {
            throw WorkerError(.failed, place: "weights socket", "\(error)")
        }
        endpoint = server.endpoint
    }

    /// Lets those fetch here whom an order names.
    func admit(_ order: WeightOrder) { server.admit(Set(order.readers)) }

    /// Begins to fetch blobs from the sources of an order.
    func fetch(
        _ wanted: [WantedBlob], _ order: WeightOrder,
        onProgress: @escaping @Sendable (WeightFetch.Progress) -> Void = { _ in }
    ) throws(WeightTransferError) -> WeightFetch {
        // What was handed out may make room now.
        server.offer.releaseStored()
        return try WeightFetch(
            wanted, from: order.sources.compactMap(source), into: store, context: context, logger: logger,
            handlers: WeightFetch.Handlers(onProgress: onProgress))
    }

    /// nil for one that cannot be reached as it should: without its key, where there is encryption.
    private func source(_ source: WeightOrder.Source) -> WeightFetch.Source? {
        guard let given = Endpoint(source.endpoint), given.port > 0 else { return nil }
        let endpoint = given.isWildcard ? Endpoint(host: coordinator.host, port: given.port) : given
        var options = SocketOptions.weightClient
        if let security {
            guard let key = source.key else { return nil }
            options.security = .client(security.keys, server: key)
        } else {
            guard endpoint.isLoopback else { return nil }
        }
        let name = source.name.isEmpty ? "the coordinator" : "worker \(source.name)"
        return WeightFetch.Source(name: name, endpoint: endpoint, socket: options)
    }

    /// Not on the cooperative pool.
    func stop() { server.stop() }
}
