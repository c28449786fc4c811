import Foundation
import Sharding

/// What the files for an engine are made from: a cluster's configuration, and what the engine needs beside it.
package struct Deployment: Sendable {
    /// Its paths are absolute.
    package var configuration: ClusterConfiguration
    package var keys: DeploymentKeys
    /// Where the programs are on the machines; nil for the engine's usual place.
    package var programFolder: String?
    /// Of containers, with the programs in their PATH, and curl.
    package var image = "shard:\(ShardVersion.current)"
    /// The PersistentVolumeClaim that holds the model's files.
    package var modelsClaim = "shard-models"
    /// Size of the model's files; nil where they are not here.
    package var modelBytes: Int?
    /// The user of containers on this machine: the one whom the key files belong to.
    package var userID = DeploymentPlaces.userID

    package init(configuration: ClusterConfiguration, keys: DeploymentKeys = DeploymentKeys()) {
        self.configuration = configuration
        self.keys = keys
    }

    /// `shard-demo`: lower-case letters, digits and hyphens, at most 40 characters.
    var name: String {
        let characters = configuration.model.name.lowercased().map { character -> Character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
        }
        let words = String(characters).split(separator: "-").joined(separator: "-")
        let name = "shard-\(words.isEmpty ? "model" : words)".prefix(40)
        return String(name.hasSuffix("-") ? name.dropLast() : name)
    }

    /// The folder with the model's file, or with its folder.
    var modelFolder: String {
        let folder = (configuration.model.source as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    /// The file's or folder's own name.
    var modelFile: String { (configuration.model.source as NSString).lastPathComponent }

    var workers: [WorkerSettings] { configuration.workers }

    /// Where workers report: 5555 where the configuration takes any free port, which nobody could be told.
    var controlPort: Int { Self.fixed(configuration.coordinator.bind.port, 5555) }
    var resultsPort: Int { Self.fixed(configuration.coordinator.results.port, 5556) }
    var weightsPort: Int { Self.fixed(configuration.coordinator.weights.port, 5557) }
    var httpPort: Int { Self.fixed(configuration.coordinator.http.port, 8080) }

    private static func fixed(_ port: Int, _ usual: Int) -> Int { port == 0 ? usual : port }

    /// Refuses what no engine's files can hold.
    func check() throws(CoordinatorError) {
        guard !workers.contains(where: { $0.name == "coordinator" }) else {
            throw CoordinatorError(
                .configuration, "workers: expected other names than coordinator, whose key file has that name, got it")
        }
        for path in paths where path != path.onOneLine {
            throw CoordinatorError(
                .configuration, "\(path.onOneLine): expected a path without control characters, got one")
        }
    }

    /// All that files of engines may name.
    var paths: [String] {
        [configuration.model.source, keys.folder, programFolder ?? ""]
            + workers.flatMap { $0.modelFolders + ($0.cacheFolder.map { [$0] } ?? []) }
    }

    /// The configuration as the coordinator reads it where the engine starts it.
    ///
    /// - Parameters:
    ///   - host: where it listens for workers, at ports that others can know.
    ///   - source: the model there.
    ///   - keyFolder: where it finds its key.
    func configuration(host: String, source: String, keyFolder: String) -> ClusterConfiguration {
        var configuration = configuration
        configuration.model.source = source
        configuration.coordinator.bind = NetworkAddress(host: host, port: controlPort)
        configuration.coordinator.results = NetworkAddress(host: host, port: resultsPort)
        configuration.coordinator.weights = NetworkAddress(host: host, port: weightsPort)
        configuration.coordinator.http = NetworkAddress(host: "127.0.0.1", port: httpPort)
        configuration.coordinator.apiKeys = nil
        configuration.coordinator.tls = nil
        configuration.security.keyFolder = keyFolder
        configuration.security.workerKeys = keys.workerKeys
        return configuration
    }

    /// The ports, each once, for comments on firewalls.
    var portList: String { "\(controlPort), \(resultsPort) and \(weightsPort)" }
}

/// Places inside containers and on machines that the files of several engines share.
enum DeploymentPlaces {
    /// Nobody on the usual machine, so that a container that is left runs into nothing.
    static let userID = 10001
    static let configuration = "/etc/shard"
    static let models = "/models"
    static let cache = "/var/cache/shard"
    /// Where workers listen in containers.
    static let dataPort = 5600
    /// What a process takes beside the memory that it may fill: its code, stacks, buffers of sockets.
    static let overheadBytes = 256 << 20
}
