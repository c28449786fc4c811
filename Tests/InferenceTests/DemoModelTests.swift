import Foundation
import Inference
import Sharding
import Testing

/// The bundled model against its golden continuations, all in f32.
@Suite("Demo model")
struct DemoModelTests {
    private struct Golden: Decodable {
        struct Case: Decodable {
            struct Logit: Decodable {
                var id: TokenID
                var logit: Float
            }
            var prompt: String
            var promptIds: [TokenID]
            var outputIds: [TokenID]
            var top5: [Logit]
        }
        var stopIds: Set<TokenID>
        var maxNewTokens: Int
        var cases: [Case]
    }

    @Test("every golden case comes out token for token", arguments: ["demo-f16.gguf", "hf"], [1, 3])
    func golden(file: String, shards: Int) throws {
        let golden = try Fixtures.read(Golden.self, Fixtures.demo.appending(path: "golden.json"))
        let chain = try Fixtures.chain(Fixtures.demo.appending(path: file), shards: shards)
        #expect(golden.cases.count == 15)
        for item in golden.cases {
            let output = try chain.greedy(item.promptIds, count: golden.maxNewTokens, endTokens: golden.stopIds)
            #expect(output == item.outputIds, "\(item.prompt)")
            var logits: [Float] = []
            try chain.logits(of: item.promptIds) { logits = Array($0.suffix(chain.model.vocabularySize)) }
            for top in item.top5 { #expect(abs(logits[Int(top.id)] - top.logit) < 1e-3) }
        }
    }
}
