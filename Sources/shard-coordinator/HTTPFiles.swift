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
    private let sources: Mutex<[Source]>
    private let logger: Logger

    private init(access: APIAccess?, sources: [Source], logger: Logger) {
        self.access = access
        self.sources = Mutex(sources)
        self.logger = logger
    }

    /// - Throws: ``ProgramError`` that names the file that cannot be used.
    static func load(_ settings: ClusterConfiguration.CoordinatorSettings, logger: Logger) async throws -> HTTPFiles {
        try await OwnThread.run { _ in
            var sources: [Source] = []
            var access: APIAccess?
            do {
                if let path = settings.apiKeys {
                    // Taken before the file is read, so that no change is missed.
                    let stamp = FileStamp([path])
                    let made = APIAccess(try APIKeys.load(path))
                    access = made
                    sources.append(
                        Source(key: "coordinator.api_keys", paths: [path], stamp: stamp) {
                            made.replace(try APIKeys.load(path))
                        })
                }
            } catch {
                throw ProgramError(.configuration, "coordinator.api_keys: \(error)")
            }
            return HTTPFiles(access: access, sources: sources, logger: logger)
        }
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
