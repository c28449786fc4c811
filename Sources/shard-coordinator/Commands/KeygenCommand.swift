import ArgumentParser
import Sharding
import Terminal

struct KeygenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make the coordinator's keys, or a key for a client of the HTTP API.",
        discussion: """
            Writes coordinator.key, for its owner only, and coordinator.pub, which every worker gets. Keys that are \
            there already are never overwritten.

            With --api-key it adds a line to the file \(APIKeyFile.name) instead, and prints the key, which a client \
            presents as Authorization: Bearer KEY. A coordinator that runs takes it within seconds.

            Examples:
              shard-coordinator keygen -o keys
              shard-coordinator keygen -o keys --api-key alice --priority 1 --concurrency 4
            """)

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write them.", valueName: "folder"))
    var output = "keys"

    @Option(help: ArgumentHelp("Make a key for this client of the HTTP API.", valueName: "name"))
    var apiKey: String?

    // A number below zero begins as an option does.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Whose requests begin first: the higher one's; by default 0.", valueName: "number"))
    var priority: Int?

    @Option(help: ArgumentHelp("The client's requests at the same time at most.", valueName: "count"))
    var concurrency: Int?

    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var options: ProgramOptions

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("--output: expected a folder, got an empty name") }
        guard apiKey != nil || (priority == nil && concurrency == nil) else {
            throw ValidationError("--priority, --concurrency: only together with --api-key")
        }
    }

    func run() async throws {
        if let apiKey { return try makeAPIKey(for: apiKey) }
        let path = "\(output)/coordinator.key"
        do {
            let key = try KeyFile.create(at: path, for: "the coordinator").publicKey
            let report = KeysReport(
                publicKey: key.description, fingerprint: key.fingerprint, secretKeyFile: path,
                publicKeyFile: KeyFile.publicPath(of: path))
            if json { return StandardOutput.write(try report.json()) }
            let next = [
                "In cluster.yaml, from which a relative path counts:", "",
                "    security:",
                "      key_dir: \(YAMLText.quoted(output))", "",
                "A worker on another machine makes keys of its own with shard-worker keygen, and starts with:", "",
                "    shard-worker --coordinator tcp://HOST:PORT --name NAME --key keys/NAME.key "
                    + "--coordinator-key \(ShellText.quoted(key.description))",
            ]
            for line in report.lines(next: options.quiet ? [] : next) { StandardOutput.write(line) }
        } catch let error as KeyFileError {
            throw ProgramError(error)
        }
    }

    private func makeAPIKey(for name: String) throws {
        let path = "\(output)/\(APIKeyFile.name)"
        do {
            let key = try APIKeyFile.add(name, priority: priority, concurrencyMax: concurrency, to: path)
            let report = APIKeyReport(name: name, key: key, file: path)
            if json { return StandardOutput.write(try report.json()) }
            for line in options.quiet ? [key] : report.lines { StandardOutput.write(line) }
        } catch let error as KeyFileError {
            throw ProgramError(error)
        }
    }
}

extension ProgramError {
    fileprivate init(_ error: KeyFileError) {
        self.init(error.code == .system ? .failedWhileRunning : .configuration, error.description)
    }
}
