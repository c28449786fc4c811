import Foundation
import Logging
import Sharding
import Testing

@testable import Coordinator

/// A coordinator in this process over real worker processes.
enum RunningCluster {
    static func options(workers: [WorkerSettings]) -> ClusterOptions {
        var options = ClusterOptions(name: "demo", workers: workers, cacheType: .f32, maxSequences: 16)
        options.deadlines.heartbeat = HeartbeatSettings(interval: .milliseconds(100), deadAfter: .seconds(2))
        return options
    }

    static func workers(_ names: [String]) -> [WorkerSettings] {
        names.map { WorkerSettings(local: $0, threads: 1) }
    }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func start(_ source: URL, _ options: ClusterOptions) async throws -> Cluster {
        try await Cluster.start(options, model: try ClusterModel.open(source.path), logger: logger)
    }

    /// The same at an address that was used just before: a process that another test starts meanwhile has the old
    /// sockets, too, until it runs its own program.
    static func startAgain(_ source: URL, _ options: ClusterOptions) async throws -> Cluster {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            do {
                return try await start(source, options)
            } catch let error as CoordinatorError where "\(error)".contains("Address already in use") {
                guard ContinuousClock.now < deadline else { throw error }
                await Task.yield()
            }
        }
    }

    /// Calls `body` when the cluster is ready; afterwards no worker process is left.
    static func with(
        _ source: URL, _ options: ClusterOptions, _ body: (Cluster) async throws -> Void
    ) async throws {
        let cluster = try await start(source, options)
        async let end: Void = cluster.run()
        var processIDs: [Int32] = []
        do {
            try #require(await cluster.waitUntilReady())
            processIDs = await cluster.service.status.workers.compactMap(\.processID)
            try await body(cluster)
        } catch {
            await cluster.stop()
            try await end
            throw error
        }
        await cluster.stop()
        try await end
        #expect(!processIDs.contains(where: Paths.isRunning))
    }

    static func tokens(_ engine: ClusterEngine, _ request: TokenRequest) async throws -> [TokenID] {
        try await answer(engine, request).tokens
    }

    /// - Returns: its tokens, and how many of the prompt's were not computed.
    static func answer(
        _ engine: ClusterEngine, _ request: TokenRequest
    ) async throws -> (tokens: [TokenID], cachedCount: Int) {
        var answer: (tokens: [TokenID], cachedCount: Int) = ([], 0)
        for try await event in try await engine.generate(request) {
            switch event {
            case .begun(let cachedTokens): answer.cachedCount = cachedTokens
            case .token(let token): answer.tokens.append(token.token)
            case .finished: break
            }
        }
        return answer
    }

    /// The answers to all golden cases, asked at once.
    static func expectGolden(_ cluster: Cluster) async throws {
        let golden = try Golden.load()
        try await withThrowingTaskGroup(of: (Int, [TokenID]).self) { group in
            for (index, item) in golden.cases.enumerated() {
                group.addTask { (index, try await tokens(cluster.engine, golden.request(item))) }
            }
            for try await (index, tokens) in group {
                #expect(tokens == golden.cases[index].outputIDs, "case \(index)")
            }
        }
    }
}
