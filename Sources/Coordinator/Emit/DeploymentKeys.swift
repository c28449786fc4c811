import Foundation
import Sharding
import ZeroMQ

/// The keys of a cluster, as far as its configuration and its key folder have them.
package struct DeploymentKeys: Sendable {
    /// Both halves where the folder has `coordinator.key`.
    var coordinator: CurveKeyPair?
    var coordinatorKey: CurvePublicKey?
    /// Of workers whose `NAME.key` is in the folder.
    var workers: [String: CurveKeyPair] = [:]
    var workerKeys: [String: CurvePublicKey] = [:]
    /// As the configuration names it.
    var folder = DeploymentKeys.usualFolder

    private static let usualFolder = "keys"

    /// No keys at all.
    package init() {}

    /// Reads what there is; a file that is missing is none of its problems.
    package init(_ configuration: ClusterConfiguration) throws(CoordinatorError) {
        workerKeys = configuration.security.workerKeys
        guard let folder = configuration.security.keyFolder else { return }
        self.folder = folder
        coordinator = try Self.pair("coordinator", in: folder)
        coordinatorKey = try Self.publicKey("coordinator", of: coordinator, in: folder)
        for name in configuration.workers.map(\.name) {
            let pair = try Self.pair(name, in: folder)
            guard let key = try Self.publicKey(name, of: pair, in: folder) else { continue }
            if let listed = workerKeys[name], listed != key {
                throw CoordinatorError(
                    .configuration,
                    "security.workers.\(name): expected \(key), as \(folder) has it, got \(listed); which one is right?"
                )
            }
            workerKeys[name] = key
            workers[name] = pair
        }
    }

    /// What to do about keys that are not here, a line each.
    ///
    /// - Parameter needsSecrets: Whether the secret halves too must be here.
    func missing(of names: [String], needsSecrets: Bool) -> [String] {
        let folder = ShellText.quoted(folder)
        var lines: [String] = []
        if needsSecrets ? coordinator == nil : coordinatorKey == nil {
            lines.append("no key of the coordinator in \(folder): run shard-coordinator keygen -o \(folder)")
        }
        for name in names where needsSecrets ? workers[name] == nil : workerKeys[name] == nil {
            lines.append("no key of worker \(name) in \(folder): run shard-worker keygen --name \(name) -o \(folder)")
        }
        return lines
    }

    private static func pair(_ name: String, in folder: String) throws(CoordinatorError) -> CurveKeyPair? {
        let path = "\(folder)/\(name).key"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try KeyFile.load(path)
        } catch {
            throw CoordinatorError(.configuration, "security.key_dir: \(error)", cause: error)
        }
    }

    /// The pair's, or that of `NAME.pub`.
    private static func publicKey(
        _ name: String, of pair: CurveKeyPair?, in folder: String
    ) throws(CoordinatorError) -> CurvePublicKey? {
        if let pair { return pair.publicKey }
        let path = "\(folder)/\(name).pub"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try PublicKeyText.parse(path)
        } catch {
            throw CoordinatorError(.configuration, "security.key_dir: \(error)", cause: error)
        }
    }

    /// The text of a `.pub` file.
    static func publicText(_ key: CurvePublicKey) -> String { "public-key = \(key)\n" }
}
