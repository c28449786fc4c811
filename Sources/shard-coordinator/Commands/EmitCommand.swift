import ArgumentParser
import Coordinator
import Foundation
import Sharding
import Terminal

extension DeploymentEngine: ExpressibleByArgument {}

struct EmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emit",
        abstract: "Write the files with which an engine starts the cluster: Slurm, Kubernetes, systemd, or compose.",
        discussion: """
            Every file says at its head what it needs, and how to start and stop. docs/operations.md has the whole way.

            Examples:
              shard-coordinator emit slurm --config cluster.yaml > shard.sbatch
              shard-coordinator emit kubernetes --config cluster.yaml -o kubernetes --models-claim models
              shard-coordinator emit systemd --config cluster.yaml -o units
              shard-coordinator emit compose --config cluster.yaml -o compose
            """)

    @Argument(
        help: ArgumentHelp("What starts the processes: slurm, kubernetes, systemd or compose.", valueName: "engine"))
    var engine: DeploymentEngine

    @OptionGroup var file: ConfigurationOptions

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("Where the files go; without it, a single file goes to stdout.", valueName: "folder"))
    var output: String?

    @Flag(help: "Write over files that are there.")
    var force = false

    @Option(
        help: ArgumentHelp(
            "slurm, systemd: the folder of the programs on the machines; by default this program's own for slurm, and "
                + "/usr/local/bin for systemd.", valueName: "folder"))
    var programs: String?

    @Option(help: ArgumentHelp("kubernetes, compose: the containers' image.", valueName: "name"))
    var image: String?

    @Option(
        help: ArgumentHelp(
            "kubernetes: the PersistentVolumeClaim that has the model; by default shard-models.", valueName: "name"))
    var modelsClaim: String?

    @OptionGroup var options: ProgramOptions

    func run() async throws {
        let configuration = try file.load()
        do {
            let deployment = try Deployment(
                configuration: configuration, engine: engine, programFolder: programs, image: image,
                modelsClaim: modelsClaim)
            let files = try engine.files(for: deployment)
            if let output {
                for path in try EmittedFile.write(files, to: output, overwriting: force) { StandardOutput.write(path) }
            } else if files.count == 1, let only = files.first, !only.isSecret {
                StandardOutput.write(raw: only.text)
            } else {
                throw ProgramError(
                    .configuration, "-o: expected a folder, as \(engine.rawValue) takes \(files.count) files, got none")
            }
            if !options.quiet { for line in engine.remarks(on: deployment) { StandardError.write(line) } }
        } catch let error as CoordinatorError {
            throw ProgramError(error)
        }
    }
}
