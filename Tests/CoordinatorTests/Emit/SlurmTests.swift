import Foundation
import Sharding
import Subprocess
import Testing

@testable import Coordinator

@Suite("Slurm's script")
struct SlurmTests {
    private func script(_ deployment: Deployment) throws -> String {
        let files = try DeploymentEngine.slurm.files(for: deployment)
        return try #require(files.only?.text)
    }

    /// Runs bash with a script as its input.
    private func bash(_ script: String, _ arguments: [String] = []) async throws -> (
        status: TerminationStatus, output: String
    ) {
        let result = try await Subprocess.run(
            .name("bash"), arguments: Arguments(arguments), input: .string("exec 2>&1\n" + script),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        return (result.terminationStatus, result.standardOutput + result.standardError)
    }

    @Test("bash reads it, whatever names and paths say", arguments: SampleDeployment.hostileTexts)
    func syntax(_ text: String) async throws {
        let script = try script(try SampleDeployment.hostile(text))
        let result = try await bash(script, ["-n"])
        #expect(result.status.isSuccess && result.output.isEmpty, "\(result.output)")
    }

    @Test("a worker gets its flags as they are", arguments: SampleDeployment.hostileTexts)
    func flags(_ text: String) async throws {
        let deployment = try SampleDeployment.hostile(text)
        let lines = try script(deployment).split(separator: "\n").filter { $0.hasPrefix("    start ") }
        #expect(lines.count == 2)
        let result = try await bash("start() { printf '%s\\n' \"$@\"; }\n" + lines.joined(separator: "\n"))
        let expected = deployment.workers.map { worker in
            ([worker.name] + WorkerFlags.flags(of: worker, models: [deployment.modelFolder])).joined(separator: "\n")
        }
        #expect(result.output == expected.joined(separator: "\n") + "\n")
    }

    @Test("the node with the number of a worker's place starts it")
    func nodes() throws {
        let script = try script(try SampleDeployment.plain())
        #expect(script.contains("#SBATCH --nodes=2\n"))
        #expect(script.contains("\nnames=(a b)\n"))
        #expect(
            script.contains(
                "\n0)\n    start a --device cpu --threads 4 --memory 21474836480 --models /models\n    ;;\n"))
        #expect(script.contains("\n1)\n    start b --device cpu --threads 2 --cpus 0,1,2,3 --models /models\n    ;;\n"))
        #expect(!script.contains("gpus"))
    }

    @Test("workers on the GPUs of a machine share a node")
    func gpus() throws {
        let deployment = try SampleDeployment.plain { configuration in
            let worker = configuration.workers[0]
            configuration.workers = ["cuda:0", "cuda:1", "cpu", "cuda:0", "cuda:1", "cuda:0"].enumerated().map {
                var worker = worker
                (worker.name, worker.device) = ("w\($0)", $1)
                return worker
            }
        }
        let nodes = SlurmNodes(deployment.workers)
        #expect(nodes.workers.map { $0.map(\.name) } == [["w0", "w1"], ["w2"], ["w3", "w4"], ["w5"]])
        #expect(nodes.gpuCount == 2)
        let script = try script(deployment)
        #expect(script.contains("#SBATCH --nodes=4\n") && script.contains("#SBATCH --gpus-per-node=2\n"))
    }

    @Test("options of Slurm come before the first command, and none is made of a name")
    func options() throws {
        let deployment = try SampleDeployment.plain { $0.model.name = "x\n#SBATCH --uid=0" }
        let lines = try script(deployment).split(separator: "\n")
        let first = try #require(lines.firstIndex { !$0.hasPrefix("#") })
        #expect(lines[first...].allSatisfy { !$0.hasPrefix("#SBATCH") })
        #expect(lines.filter { $0.hasPrefix("#SBATCH") }.count == 7)
    }

    @Test("a command that fails is run again, with a pause of its own")
    func again() async throws {
        // sleep is put in place of the real one.
        let script =
            SlurmScripts.again + """
                sleep() { echo "pause $1"; }
                dir=$(mktemp -d)
                try() { echo x >>"$dir/runs"; [ "$(wc -l <"$dir/runs")" -ge 4 ] || return 1; }
                again worker try &
                status=0; await $! || status=$?
                rm -r "$dir"
                echo "end $status"
                """
        let output = try await bash(script).output
        #expect(output.matches(of: /pause \d+/).map { String($0.0) } == ["pause 1", "pause 2", "pause 4"])
        #expect(output.contains("worker: ended with status 1; starting it again in 4 s"))
        #expect(output.hasSuffix("end 0\n"))
    }

    @Test("what cannot help is not tried again", arguments: [2, 64])
    func finalStatus(_ status: Int) async throws {
        let script = SlurmScripts.again + "again worker sh -c 'exit \(status)' & await $!; echo \"end $?\""
        #expect(try await bash(script).output == "end \(status)\n")
    }

    @Test("a command that always fails at once is given up")
    func givesUp() async throws {
        let script = SlurmScripts.again + "sleep() { :; }\nagain worker sh -c 'exit 1' & await $!; echo \"end $?\""
        let output = try await bash(script).output
        #expect(output.contains("worker: ended with status 1, 10 times in a row; giving up"))
        #expect(output.hasSuffix("end 1\n"))
    }
}

extension Array {
    /// The element of a list of one.
    fileprivate var only: Element? { count == 1 ? first : nil }
}
