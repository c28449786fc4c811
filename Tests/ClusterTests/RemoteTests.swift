import Foundation
import Sharding
import Testing
import WeightTransfer
import ZeroMQ

@testable import Coordinator

/// What crosses machines, on one: encrypted connections, and workers that have no model files.
@Suite("Remote workers", .serialized, .timeLimit(.minutes(2)))
struct RemoteTests {
    /// Workers that others start, without files; each with a cache of its own in `folder`.
    private struct Strangers {
        let keys: [String: CurveKeyPair]
        let folder: URL
        private let lines: AsyncStream<(worker: String, line: String)>
        private let continuation: AsyncStream<(worker: String, line: String)>.Continuation

        init(_ names: [String], folder: URL) throws {
            keys = try Dictionary(uniqueKeysWithValues: names.map { ($0, try CurveKeyPair.generate()) })
            self.folder = folder
            (lines, continuation) = AsyncStream.makeStream()
        }

        func launcher(for cluster: Cluster, security: ClusterSecurity) throws -> WorkerLauncher {
            let path = try Paths.program(WorkerProgram.name).path
            return WorkerLauncher(
                programs: keys.sorted { $0.key < $1.key }.map { name, keys in
                    WorkerLauncher.Program(
                        worker: name, path: path,
                        arguments: [
                            "--coordinator", cluster.endpoints.control.description, "--name", name, "--threads", "1",
                            "--models", folder.path, "--cache", folder.appending(path: "cache-\(name)").path,
                            "--key", "-", "--coordinator-key", security.keys.publicKey.description,
                        ], input: KeyFile.text(of: keys) + "\n")
                }, print: { [continuation] in continuation.yield(($0, $1)) })
        }

        /// What a worker says of its weights when it has loaded.
        func weightLine(of worker: String) async -> String {
            for await line in lines where line.worker == worker && line.line.contains("weights: ") { return line.line }
            return ""
        }
    }

    private static func options(_ security: ClusterSecurity, external names: [String], local: [String] = []) throws
        -> ClusterOptions
    {
        var workers = RunningCluster.workers(names + local)
        for index in names.indices { workers[index].start = .external }
        var options = RunningCluster.options(workers: workers)
        options.security = security
        options.weights = try ClusterWeights(try ClusterModel.open(Paths.demo.path), cacheFolder: nil)
        return options
    }

    @Test("an encrypted cluster gives the same answers")
    func encrypted() async throws {
        var options = RunningCluster.options(workers: RunningCluster.workers(["a", "b"]))
        options.security = try ClusterSecurity(keys: try .generate(), listed: [:], launching: ["a", "b"])
        try await RunningCluster.with(Paths.demo, options) { cluster in
            try await RunningCluster.expectGolden(cluster)
            #expect(cluster.service.refusals?.total == 0)
        }
    }

    @Test("a worker without files is sent its layers, encrypted, and has them at its next start")
    func fetched() async throws {
        try await Paths.withFolder { folder in
            let strangers = try Strangers(["far"], folder: folder)
            let security = try ClusterSecurity(
                keys: try .generate(), listed: strangers.keys.mapValues(\.publicKey), launching: ["near"])
            let options = try Self.options(security, external: ["far"], local: ["near"])
            for expected in ["0 B from the cache", "0 B over the wire"] {
                let cluster = try await RunningCluster.start(Paths.demo, options)
                async let end: Void = cluster.run()
                let launcher = try strangers.launcher(for: cluster, security: security)
                launcher.startAll()
                guard await cluster.waitUntilReady() else {
                    // It says why.
                    try await end
                    throw CoordinatorError(.failed, "the cluster ended before it was ready")
                }
                #expect(await strangers.weightLine(of: "far").contains(expected))
                try await RunningCluster.expectGolden(cluster)
                await cluster.stop()
                try await end
                await launcher.stopAll()
            }
        }
    }

    @Test("a worker whose key is taken off the list is out, and back in when it is listed again")
    func removedKey() async throws {
        try await Paths.withFolder { folder in
            let strangers = try Strangers(["far"], folder: folder)
            let listed = strangers.keys.mapValues(\.publicKey)
            let security = try ClusterSecurity(keys: try .generate(), listed: listed, launching: [])
            let cluster = try await RunningCluster.start(Paths.demo, try Self.options(security, external: ["far"]))
            async let end: Void = cluster.run()
            let launcher = try strangers.launcher(for: cluster, security: security)
            launcher.startAll()
            try #require(await cluster.waitUntilReady())
            await cluster.service.rekey([:])
            guard case .notReady(let reason) = await cluster.engine.readiness else {
                Issue.record("it is ready without its only worker")
                return
            }
            #expect(reason.contains("far (its key was taken off the list)"))
            await cluster.service.rekey(listed)
            try #require(await cluster.waitUntilReady())
            try await RunningCluster.expectGolden(cluster)
            await cluster.stop()
            try await end
            await launcher.stopAll()
        }
    }
}
