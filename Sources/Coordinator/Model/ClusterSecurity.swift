import Sharding
import ZeroMQ

/// The keys of a cluster whose connections are encrypted.
package struct ClusterSecurity: Sendable {
    /// The coordinator's own.
    package var keys: CurveKeyPair
    /// Of workers that others start, by name, as the configuration lists them.
    package var listed: [String: CurvePublicKey]
    /// Of workers that are started from here, made for this run: they are told them over their standard input.
    package var launched: [String: CurveKeyPair]

    package init(
        keys: CurveKeyPair, listed: [String: CurvePublicKey], launching names: [String]
    ) throws(CoordinatorError) {
        self.keys = keys
        self.listed = listed
        launched = [:]
        for name in names {
            do {
                launched[name] = try CurveKeyPair.generate()
            } catch {
                throw CoordinatorError(.failed, "\(error)", cause: error)
            }
        }
    }

    /// Reads the coordinator's key file; nil where the configuration names none.
    package init?(_ configuration: ClusterConfiguration) throws(CoordinatorError) {
        guard let path = configuration.security.keyPath else { return nil }
        let keys: CurveKeyPair
        do {
            keys = try KeyFile.load(path)
        } catch {
            throw CoordinatorError(.configuration, "security.key_dir: \(error)", cause: error)
        }
        try self.init(
            keys: keys, listed: configuration.security.workerKeys,
            launching: configuration.workers.filter { $0.start != .external }.map(\.name))
    }

    func key(of worker: String) -> CurvePublicKey? { launched[worker]?.publicKey ?? listed[worker] }
}
