import Devices
import Logging
import Models
import Sharding
import WeightTransfer
import ZeroMQ

/// The model's weights as workers of other machines can ask for them: described, hashed, and offered.
package struct ClusterWeights: Sendable {
    let description: [UInt8]
    let descriptionHash: FileHash
    let offer: WeightOffer
    /// Of the tensors of each layer, and of the head; as ``PlacementModel`` counts units.
    let unitHashes: [Set<FileHash>]

    /// Hashes all tensors, those of files that have not changed from memory. Not on the cooperative pool.
    ///
    /// - Parameter progress: called now and then with the bytes done and in all, on any thread.
    package init(
        _ model: ClusterModel, cacheFolder: String?,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(CoordinatorError) {
        do {
            let hashes = try TensorHashes(cacheFolder: cacheFolder).hashes(
                of: model.file, threadCount: MachineFiles().coreCount
            ) { done, total in
                progress(done, total)
                return true
            }
            description = try ModelDescription(of: model.file, hashes: hashes).blob().bytes
            offer = WeightOffer()
            offer.add(model.file, hashes: hashes)
            descriptionHash = offer.add(description, name: "the model's description").hash
            let parts = ModelParts(of: model.file, as: model.spec)
            unitHashes = (parts.layers + [parts.head]).map { unit in Set(unit.compactMap { hashes[$0.name] }) }
        } catch {
            throw CoordinatorError(.configuration, "\(error)", cause: error)
        }
    }
}

extension ClusterWeights {
    /// Starts to serve them.
    ///
    /// - Parameter readers: who may fetch, where connections are encrypted.
    func server(
        _ options: ClusterOptions, _ sockets: SocketThread, readers: Set<CurvePublicKey>, logger: Logger
    ) throws(WeightTransferError) -> WeightServer {
        var settings = WeightServer.Options(bind: options.weightsBind)
        if let keys = options.security?.keys { settings.secure(keys, sockets.admission) }
        let server = try WeightServer(settings, offer: offer, context: sockets.context, logger: logger)
        server.admit(readers)
        return server
    }

    /// What orders say of them.
    func offered(at endpoint: Endpoint) -> ClusterSettings.OfferedWeights {
        ClusterSettings.OfferedWeights(
            endpoint: endpoint.description, description: descriptionHash, descriptionBytes: description.count,
            unitHashes: unitHashes)
    }
}
