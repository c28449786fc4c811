import ArgumentParser
import Sharding
import Terminal

struct KeygenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make the coordinator's keys, which connections beyond this machine need.",
        discussion: """
            Writes coordinator.key, for its owner only, and coordinator.pub, which every worker gets. Keys that are \
            there already are never overwritten.

            Example:
              shard-coordinator keygen -o keys
            """)

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write them.", valueName: "folder"))
    var output = "keys"

    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var options: ProgramOptions

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("--output: expected a folder, got an empty name") }
    }

    func run() async throws {
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
            throw ProgramError(error.code == .system ? .failedWhileRunning : .configuration, error.description)
        }
    }
}
