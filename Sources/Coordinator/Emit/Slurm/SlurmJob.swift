import Sharding

/// A batch script for Slurm: the coordinator on the first node, and a step that keeps the workers running, a node each.
///
/// Keys are made when the job starts, in a folder of the user's home that all nodes see, and deleted when it ends.
struct SlurmJob {
    private let deployment: Deployment
    private let nodes: SlurmNodes

    init(_ deployment: Deployment) {
        self.deployment = deployment
        nodes = SlurmNodes(deployment.workers)
    }

    func files() throws(CoordinatorError) -> [EmittedFile] {
        [EmittedFile("\(deployment.name).sbatch", try script())]
    }

    private func script() throws(CoordinatorError) -> String {
        let parts = [
            head, settings, SlurmScripts.begin,
            ShellText.command("cat >\"$folder/again.sh\"", reading: SlurmScripts.again),
            ShellText.command("cat >\"$folder/node.sh\"", reading: nodeScript),
            ShellText.command("cat >\"$folder/cluster.yaml\"", reading: try clusterFile()),
            SlurmScripts.addresses(results: results.port, weights: weights.port, http: http.description), run,
        ]
        return parts.joined(separator: "\n")
    }

    /// A port that the configuration leaves open stays open: workers are told.
    private var results: NetworkAddress { deployment.configuration.coordinator.results }
    private var weights: NetworkAddress { deployment.configuration.coordinator.weights }
    private var http: NetworkAddress { deployment.configuration.coordinator.http }

    private var head: String {
        let name = deployment.name
        let comments = [
            "\(deployment.configuration.model.name) on \(nodes.count) nodes of a Slurm cluster, made by shard-coordinator "
                + "emit slurm.",
            "",
            "Start:  sbatch \(name).sbatch          its log, \(name)-JOB.log, says when it is ready, and how to ask",
            "Stop:   scancel JOB                    at once",
            "        scancel --batch -s TERM JOB    running answers end first",
            "",
            "Edit the lines below up to the rule as your cluster needs it (partition, account, time).",
            "Every node must see the same home folder, the programs and, for speed, the model at the same paths: keys",
            "and configuration of the job are handed over in $HOME, in a folder that only you can read.",
            "HTTP answers on the first node's loopback only, as there are no API keys yet: reach it by ssh -L.",
            "--exclusive keeps other users off the nodes, and so off that loopback.",
            "Nodes must reach each other over TCP: the first one's port \(deployment.controlPort), and any free ports of all.",
        ]
        var options = [
            "--job-name=\(name)", "--nodes=\(nodes.count)", "--ntasks-per-node=1", "--exclusive", "--mem=0",
            "--output=\(name)-%j.log", "--signal=B:TERM@60",
        ]
        if let gpus = nodes.gpuCount { options.append("--gpus-per-node=\(gpus)") }
        return (["#!/bin/bash"] + comments.map(EmittedFile.comment) + options.map { "#SBATCH \($0)" })
            .joined(separator: "\n") + "\n"
    }

    private var settings: String {
        let names = deployment.workers.map(\.name)
        return """
            # The folder of shard-coordinator and shard-worker, on every node.
            programs=\(ShellText.quoted(deployment.programFolder ?? "/usr/local/bin"))
            # Folders of running jobs, seen by every node.
            jobs=$HOME/.local/state/shard/jobs
            # Where workers report. Two jobs that share a node need two ports, here and for http below.
            control_port=\(deployment.controlPort)
            # The address by which the other nodes reach the first one; empty takes the one that Slurm uses.
            address=
            # Names in the order of the nodes.
            names=(\(ShellText.words(names)))
            # ---------------------------------------------------------------------------------------------------------

            """
    }

    private var nodeScript: String {
        var cases = ""
        for (index, workers) in nodes.workers.enumerated() {
            cases += "\(index))\n"
            for worker in workers {
                let flags = WorkerFlags.flags(of: worker, models: [deployment.modelFolder])
                cases += "    start \(ShellText.words([worker.name] + flags))\n"
            }
            cases += "    ;;\n"
        }
        return SlurmScripts.node(cases: cases)
    }

    private func clusterFile() throws(CoordinatorError) -> String {
        try ClusterFile(configuration: deployment.configuration)
            .text(sections: [.model, .serving, .placement, .workers, .failure])
    }

    private var run: String {
        let gpus = nodes.gpuCount.map { " --gpus-per-node=\($0)" } ?? ""
        let hint =
            http.port == 0
            ? "on $SLURMD_NODENAME, at the address in the line that says ready"
            : "ssh -L \(http.port):\(http) $SLURMD_NODENAME, then http://127.0.0.1:\(http.port)"
        return SlurmScripts.run(nodeCount: nodes.count, options: gpus, hint: hint)
    }
}
