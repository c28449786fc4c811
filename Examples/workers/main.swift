// Runs a model over worker processes on this machine, and compares its logits with those of one process.
//
//     swift build -c release && swift run -c release example-workers Models/demo/demo-f16.gguf 2

import Foundation
import ShardKit

guard CommandLine.arguments.count == 3, let count = Int(CommandLine.arguments[2]), count > 0 else {
    print("usage: example-workers MODEL WORKERS")
    exit(64)
}
let model = URL(filePath: CommandLine.arguments[1])
let tokens: [Int32] = [1, 2, 3, 4, 5]

do {
    print("devices here: \(detectAvailableDevices().joined(separator: ", "))")
    let devices = Array(repeating: "cpu", count: count)
    let spread = try await DistributedShardRunner(shards: model, devices: devices)
    print(spread.summary())
    let logits = try await spread(tokens)
    await spread.stop()

    let alone = try await ShardedModelRunner(shards: model)
    let isEqual = try await alone(tokens) == logits
    print(isEqual ? "the logits equal those of one process" : "the logits differ from those of one process")
    exit(isEqual ? 0 : 1)
} catch {
    print("error: \(error)")
    exit(1)
}
