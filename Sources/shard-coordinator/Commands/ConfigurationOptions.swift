import ArgumentParser
import Coordinator
import ShardKit
import Sharding
import Terminal

/// The options of every subcommand, and what they name.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The cluster's configuration.", valueName: "file"))
    var config: String

    func load() throws -> ClusterConfiguration {
        do {
            return try ClusterConfiguration.load(path: config)
        } catch {
            throw ProgramError(.configuration, error.lines)
        }
    }

    /// The model, with what the file says of its layers checked against it.
    func open(_ configuration: ClusterConfiguration) async throws -> (model: OpenedModel, cluster: ClusterModel) {
        let model: OpenedModel
        let cluster: ClusterModel
        do {
            (model, cluster) = try await OwnThread.run { _ in
                // Workers compare hashes where they load.
                let model = try OpenedModel(path: configuration.model.source, hashes: .byLoader)
                return (model, try model.forCluster())
            }
        } catch {
            let problem = ConfigurationProblem(configuration.model.sourcePlace, "\(error)")
            throw ProgramError(.configuration, problem.line(in: config))
        }
        var problems = configuration.problems(layerCount: model.spec.layers.count)
        if let context = configuration.model.context, context > model.spec.contextLength {
            let range = "1 to \(model.spec.contextLength)"
            let message = "expected \(range), which \(configuration.model.name) was made for, got \(context)"
            problems.append(ConfigurationProblem(configuration.model.contextPlace, message))
        }
        guard problems.isEmpty else {
            throw ProgramError(.configuration, ConfigurationError(file: config, problems: problems).lines)
        }
        return (model, cluster)
    }
}

/// The worker program of those that start workers.
struct WorkerProgramOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The program shard-worker; by default the one beside this program, else the first in PATH.",
            valueName: "path"))
    var worker: String?
}

extension ProgramError {
    init(_ error: CoordinatorError) {
        switch error.code {
        case .configuration: self.init(.configuration, error.message)
        case .failed: self.init(.failedWhileRunning, error.message)
        }
    }
}
