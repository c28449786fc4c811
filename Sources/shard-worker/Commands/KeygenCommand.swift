import ArgumentParser
import Sharding
import Terminal

struct KeygenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make a worker's keys, which connections beyond one machine need.",
        discussion: """
            Writes NAME.key, for its owner only, and NAME.pub. Run it on the worker's own machine: the secret key \
            never has to leave it. Keys that are there already are never overwritten.

            Example:
              shard-worker keygen --name a -o keys
            """)

    @Option(help: "The worker's name in cluster.yaml.")
    var name: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write them.", valueName: "folder"))
    var output = "keys"

    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var options: ProgramOptions

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("--output: expected a folder, got an empty name") }
    }

    func run() async throws {
        guard WorkerHello.isValidName(name) else {
            throw ProgramError(
                .configuration, "--name: expected 1 to 64 characters of A-Z a-z 0-9 . _ -, got \"\(name)\"")
        }
        let path = "\(output)/\(name).key"
        do {
            let key = try KeyFile.create(at: path, for: "worker \(name)").publicKey
            let report = KeysReport(
                publicKey: key.description, fingerprint: key.fingerprint, secretKeyFile: path,
                publicKeyFile: KeyFile.publicPath(of: path))
            if json { return StandardOutput.write(try report.json()) }
            let next = [
                "In the coordinator's cluster.yaml:", "",
                "    security:",
                "      workers:",
                "        \(YAMLText.key(name)): \(YAMLText.quoted(key.description))", "",
                "Then start the worker, with the coordinator's public key, or its coordinator.pub:", "",
                "    shard-worker --coordinator tcp://HOST:PORT --name \(ShellText.quoted(name)) "
                    + "--key \(ShellText.quoted(path)) --coordinator-key coordinator.pub",
            ]
            for line in report.lines(next: options.quiet ? [] : next) { StandardOutput.write(line) }
        } catch let error as KeyFileError {
            throw ProgramError(error.code == .system ? .failedWhileRunning : .configuration, error.description)
        }
    }
}
