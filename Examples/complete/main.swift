// Splits a model into shards and completes a text with them, in this process.
//
//     swift run -c release example-complete Models/demo/demo-f16.gguf "12 plus 7 is"

import Foundation
import ShardKit

guard CommandLine.arguments.count == 3 else {
    print("usage: example-complete MODEL TEXT")
    exit(64)
}
let model = URL(filePath: CommandLine.arguments[1])
let prompt = CommandLine.arguments[2]
let folder = FileManager.default.temporaryDirectory.appending(path: "example-\(UUID())")
defer { try? FileManager.default.removeItem(at: folder) }

do {
    let manifest = try await splitModel(at: model, shards: 4, into: folder)
    print("\(manifest.sourceName): \(manifest.layerCount) layers in \(manifest.shards.count) shards")

    let runner = try await ShardedModelRunner(shards: folder, mode: .simple, device: "cpu")
    print(runner.summary())

    print(prompt, terminator: "")
    for try await piece in runner.generate(prompt: prompt, options: GenerationOptions(maxTokens: 40)) {
        print(piece, terminator: "")
    }
    print()

    let logits = try await runner([1, 2, 3])
    print("after tokens 1, 2, 3 comes \(logits.best(after: 2))")

    let speed = try await runner.benchmark(runs: 3)
    print("a forward pass over \(speed.tokenCount) tokens: mean \(speed.mean), min \(speed.min), max \(speed.max)")
} catch {
    print("error: \(error)")
    exit(1)
}
