import Foundation
import Sharding

#if canImport(Glibc)
    import Glibc
#endif

extension Deployment {
    /// With what this machine knows: absolute paths, keys, the model's size, and where this program lies.
    ///
    /// - Parameters:
    ///   - programFolder, image, modelsClaim: nil takes the usual one.
    package init(
        configuration: ClusterConfiguration, engine: DeploymentEngine, programFolder: String? = nil,
        image: String? = nil, modelsClaim: String? = nil
    ) throws(CoordinatorError) {
        let configuration = Self.absolute(configuration)
        self.init(configuration: configuration, keys: try DeploymentKeys(configuration))
        self.programFolder = programFolder.map(Self.absolute) ?? (engine == .slurm ? Self.ownFolder : nil)
        if let image { self.image = image }
        if let modelsClaim { self.modelsClaim = modelsClaim }
        modelBytes = Self.byteCount(of: configuration.model.source)
        userID = Self.owner(of: configuration.security.keyPath) ?? DeploymentPlaces.userID
    }

    private static func absolute(_ configuration: ClusterConfiguration) -> ClusterConfiguration {
        var configuration = configuration
        configuration.model.source = absolute(configuration.model.source)
        configuration.security.keyFolder = configuration.security.keyFolder.map(absolute)
        for index in configuration.workers.indices where configuration.workers[index].start == .local {
            let worker = configuration.workers[index]
            configuration.workers[index].modelFolders = worker.modelFolders.map(absolute)
            configuration.workers[index].cacheFolder = worker.cacheFolder.map(absolute)
        }
        return configuration
    }

    private static func absolute(_ path: String) -> String {
        let base = path.hasPrefix("/") ? "" : FileManager.default.currentDirectoryPath + "/"
        return ((base + path) as NSString).standardizingPath
    }

    /// Where this program lies.
    private static var ownFolder: String? {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map {
            ($0 as NSString).deletingLastPathComponent
        }
    }

    /// Of a file, or of a folder's files.
    private static func byteCount(of path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFDIR else { return Int(status.st_size) }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
        return names.prefix(4096).reduce(0) { sum, name in
            var status = stat()
            return stat("\(path)/\(name)", &status) == 0 ? sum &+ Int(status.st_size) : sum
        }
    }

    /// Whom a file belongs to, unless that is root.
    private static func owner(of path: String?) -> Int? {
        var status = stat()
        guard let path, stat(path, &status) == 0, status.st_uid != 0 else { return nil }
        return Int(status.st_uid)
    }
}
