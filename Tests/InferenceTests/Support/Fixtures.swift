import Devices
import Foundation
import Inference
import ModelFiles
import Models
import Sharding

/// Files beside the tests and at the top of the repository.
enum Fixtures {
    /// Folder of Package.swift.
    static let root: URL = {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
            precondition(folder.path != "/", "the tests lie inside the package")
            folder.deleteLastPathComponent()
        }
        return folder
    }()

    static let conformance = root.appending(path: "Tests/Fixtures/conformance")
    static let demo = root.appending(path: "Models/demo")

    static func read<Value: Decodable>(_ type: Value.Type, _ url: URL) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(contentsOf: url))
    }

    /// A model from its files, with an f32 cache.
    static func chain(
        _ url: URL, activations: CPUDeviceOptions.Activations = .int8, contextLength: Int = 512, shards: Int = 1
    ) throws -> ShardChain {
        let file = try ModelFile.open(url.path)
        let model = try ModelSpec(describing: file)
        return try ShardChain(
            model: model, source: file, device: CPUDevice(CPUDeviceOptions(activations: activations)),
            options: ShardChain.Options(
                shards: ShardLayout(layerCount: model.layers.count, shardCount: shards).ranges, cacheType: .f32,
                contextLength: contextLength))
    }
}

extension ShardChain {
    /// Greedy continuation of a prompt, token by token.
    func greedy(_ prompt: [TokenID], count: Int, endTokens: Set<TokenID> = []) throws -> [TokenID] {
        let id = SequenceID(1)
        var operations = [SequenceOperation.begin(id, SequenceStart(tokens: prompt))]
        var pending = prompt
        var position = 0
        var generated: [TokenID] = []
        defer { reset() }
        while generated.count < count {
            let rows = pending.enumerated().map { index, token in
                StepRow(
                    sequence: id, position: position + index, token: token,
                    output: index == pending.count - 1 ? .token : .none)
            }
            let result = try run(Step(id: UInt64(position + 1), operations: operations, rows: rows))
            guard case .tokens(let tokens)? = result.sequences.first?.outcome else { break }
            operations = []
            position += pending.count
            pending = tokens.map(\.token)
            generated += pending
            if let last = pending.last, endTokens.contains(last) { break }
        }
        return generated
    }
}
