import ArgumentParser
import Foundation
import Serving
import Sharding
import Terminal

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch a running coordinator: its stages, requests and workers, and which stage the others wait for.",
        discussion: """
            Rates are those of the last 5 seconds, times those of the last minute; with --once, since the start.

            Examples:
              shard-coordinator top --config cluster.yaml
              shard-coordinator top --url http://127.0.0.1:8080 --once --json
            """)

    @Option(help: ArgumentHelp("Where the coordinator answers; by default http://127.0.0.1:8080.", valueName: "url"))
    var url: String?
    @Option(help: ArgumentHelp("Take the address from the cluster's configuration.", valueName: "file"))
    var config: String?
    @Option(
        help: ArgumentHelp(
            "A file that holds a key of the API and nothing else; without it, SHARD_API_KEY in the environment.",
            valueName: "file"))
    var apiKeyFile: String?
    @Option(help: ArgumentHelp("Certificates that the server's is checked against.", valueName: "file"))
    var ca: String?
    @Option(help: ArgumentHelp("Seconds between readings, 0.2 to 60.", valueName: "seconds"))
    var interval = 1.0
    @Flag(help: "Read once and end.") var once = false
    @Flag(help: "Print one JSON object a reading.") var json = false
    @OptionGroup var options: ProgramOptions

    func validate() throws {
        if url != nil, config != nil { throw ValidationError("--url, --config: expected one of them, got both") }
        guard (0.2...60).contains(interval) else {
            throw ValidationError("--interval: expected 0.2 to 60, got \(interval)")
        }
    }

    func run() async throws {
        let reader = try ClusterReader(url: try address(), key: try key(), authority: ca)
        let outcome: Result<Void, any Error>
        do {
            try await watch(reader)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await reader.shutdown()
        try outcome.get()
    }

    // MARK: Readings

    /// Times are those since the oldest of them.
    private static let memory = Duration.seconds(60)

    private func watch(_ reader: ClusterReader) async throws {
        var screen = TopScreen(isDrawn: !json && !once)
        var past: [(at: ContinuousClock.Instant, engine: EngineSnapshot)] = []
        var failures = 0
        while true {
            let now = ContinuousClock.now
            do {
                let body = try await reader.read()
                guard let engine = body.engine else {
                    throw ProgramError(.failedWhileRunning, "\(reader.url): it does not count what it does")
                }
                past.removeAll { $0.engine.run != engine.run || now - $0.at > Self.memory }
                let summary = ClusterSummary(body, engine: engine, since: past.first?.engine)
                past.append((now, engine))
                failures = 0
                try show(summary, on: &screen)
                if once { return }
            } catch let failure as ClusterReader.Failure {
                // What never answered is the wrong address, more likely than a server that is about to start.
                guard !once, !failure.isLasting, !past.isEmpty else {
                    throw ProgramError(.failedWhileRunning, failure.description)
                }
                failures += 1
                screen.say("\(failure); trying again")
            }
            let pause = min(30, interval * Double(1 << min(failures, 5)))
            try await Task.sleep(for: .seconds(pause))
        }
    }

    private func show(_ summary: ClusterSummary, on screen: inout TopScreen) throws {
        guard json else { return screen.show(summary) }
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        StandardOutput.write(String(decoding: try encoder.encode(summary), as: UTF8.self))
    }

    // MARK: Where and who

    private func address() throws -> String {
        guard let config else { return url ?? "http://127.0.0.1:8080" }
        do {
            let coordinator = try ClusterConfiguration.load(path: config).coordinator
            var address = coordinator.http
            if ["0.0.0.0", "::"].contains(address.host) { address.host = "127.0.0.1" }
            return "\(coordinator.tls == nil ? "http" : "https")://\(address)"
        } catch {
            throw ProgramError(.configuration, error.lines)
        }
    }

    private func key() throws -> String? {
        let (text, place): (String?, String)
        if let apiKeyFile {
            guard let content = try? String(contentsOfFile: apiKeyFile, encoding: .utf8) else {
                throw ProgramError(.configuration, "--api-key-file: \(apiKeyFile): cannot be read")
            }
            (text, place) = (content, "--api-key-file: \(apiKeyFile)")
        } else {
            (text, place) = (ProcessInfo.processInfo.environment["SHARD_API_KEY"], "SHARD_API_KEY")
        }
        guard let key = text?.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        guard !key.isEmpty, key.utf8.count <= 4096, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ProgramError(.configuration, "\(place): expected one key and nothing else, got something else")
        }
        return key
    }
}
