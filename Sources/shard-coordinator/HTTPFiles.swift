import Foundation
import Logging
import Serving
import ShardKit
import Sharding
import Synchronization
import Terminal

/// The files that the HTTP API reads again while it runs. One that is broken then leaves what was read before.
final class HTTPFiles: Sendable {
    private static let watchInterval = Duration.seconds(2)

    private struct Source: Sendable {
        /// In cluster.yaml.
        var key: String
        var paths: [String]
        var stamp: FileStamp
        var read: @Sendable () throws -> Void
    }

    /// nil where the API asks for no keys.
    let access: APIAccess?
    /// nil where it speaks HTTP in clear.
    let certificate: ServerCertificate?
    private let sources: Mutex<[Source]>
    private let logger: Logger

    private init(access: APIAccess?, certificate: ServerCertificate?, sources: [Source], logger: Logger) {
        self.access = access
        self.certificate = certificate
        self.sources = Mutex(sources)
        self.logger = logger
    }

    /// - Throws: ``ProgramError`` that names the file that cannot be used.
    static func load(_ settings: ClusterConfiguration.CoordinatorSettings, logger: Logger) async throws -> HTTPFiles {
        try await OwnThread.run { _ in
            var sources: [Source] = []
            let access = try settings.apiKeys.map { path in
                try made("coordinator.api_keys", [path], from: &sources) {
                    APIAccess(try APIKeys.load(path))
                } replace: {
                    $0.replace(try APIKeys.load(path))
                }
            }
            let certificate = try settings.tls.map { settings in
                let files = TLSFiles(certificate: settings.certificate, key: settings.key)
                return try made("coordinator.tls", [files.certificate, files.key], from: &sources) {
                    try ServerCertificate(files, at: time(nil))
                } replace: {
                    try $0.replace(files, at: time(nil))
                }
            }
            return HTTPFiles(access: access, certificate: certificate, sources: sources, logger: logger)
        }
    }

    /// Makes a value from files, and notes how to renew it.
    private static func made<Value: Sendable>(
        _ key: String, _ paths: [String], from sources: inout [Source], _ make: () throws -> Value,
        replace: @escaping @Sendable (Value) throws -> Void
    ) throws -> Value {
        // Taken before the files are read, so that no change is missed.
        let stamp = FileStamp(paths)
        let value: Value
        do {
            value = try make()
        } catch {
            throw ProgramError(.configuration, "\(key): \(error)")
        }
        sources.append(Source(key: key, paths: paths, stamp: stamp) { try replace(value) })
        return value
    }

    /// Looks every few seconds whether a file changed, until its task is cancelled.
    func watch() async {
        while !sources.withLock({ $0.isEmpty }), (try? await Task.sleep(for: Self.watchInterval)) != nil {
            await OwnThread.run { [self] _ in read(onlyChanged: true) }
        }
    }

    /// Reads all of them, changed or not.
    func reload() async { await OwnThread.run { [self] _ in read(onlyChanged: false) } }

    private func read(onlyChanged: Bool) {
        sources.withLock { sources in
            for index in sources.indices {
                let stamp = FileStamp(sources[index].paths)
                if onlyChanged, stamp == sources[index].stamp { continue }
                sources[index].stamp = stamp
                do {
                    try sources[index].read()
                    logger.notice("\(sources[index].key): read anew")
                } catch {
                    logger.error("\(sources[index].key): what was read before stays: \(error)")
                }
            }
        }
    }
}
