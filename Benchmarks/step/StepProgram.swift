import Devices
import Inference
import ModelFiles
import Models
import Sharding

/// Generates so many tokens, one a step, and nothing else: what a longer run executes more than a shorter one is its
/// steps (scripts/bench-guard).
///
///     benchmark-step MODEL STEPS
///
/// One thread; `SHARD_CPU` chooses the kernels.
@main
struct StepProgram {
    static func main() throws {
        guard CommandLine.arguments.count == 3, let stepCount = Int(CommandLine.arguments[2]), stepCount > 0 else {
            print("usage: benchmark-step MODEL STEPS")
            return
        }
        let file = try ModelFile.open(CommandLine.arguments[1])
        let model = try ModelSpec(describing: file)
        let chain = try ShardChain(
            model: model, source: file, device: CPUDevice(CPUDeviceOptions(threads: 1).withEnvironment()),
            options: ShardChain.Options(shards: [0..<model.layers.count], contextLength: 256))
        let sequence = SequenceID(1)
        var operations = [SequenceOperation.begin(sequence, SequenceStart(tokens: [1]))]
        var token: TokenID = 1
        for position in 0..<stepCount {
            let row = StepRow(sequence: sequence, position: position, token: token, output: .token)
            let result = try chain.run(Step(id: UInt64(position + 1), operations: operations, rows: [row]))
            operations = []
            guard case .tokens(let tokens)? = result.sequences.first?.outcome, let next = tokens.first else {
                preconditionFailure("the demo model goes on: \(result)")
            }
            token = next.token
        }
        print("token \(token) after \(stepCount) steps")
    }
}
