import Testing

@testable import ModelFiles

@Suite("Opening model files")
struct OpeningTests {
    static let tensorCounts: [String: Int] = [
        Fixtures.model("llama"): 20,
        Fixtures.model("llama", "llama-f16.gguf"): 21,
        Fixtures.model("mistral"): 21,
        Fixtures.model("mistral-window"): 21,
        Fixtures.model("qwen2"): 26,
        Fixtures.model("qwen2", "qwen2-f32.gguf"): 26,
        Fixtures.model("qwen3"): 25,
        Fixtures.model("qwen3", "qwen3-bf16.gguf"): 25,
        Fixtures.demo + "/hf": 74,
        Fixtures.demo + "/demo-f16.gguf": 74,
        Fixtures.demo + "/demo-q8_0.gguf": 74,
        Fixtures.conformance + "/tokenizers/gpt2/vocab.gguf": 0,
        Fixtures.conformance + "/quantized/llama/llama-q4_k.gguf": 21,
    ]

    @Test("every fixture opens with its tensors inside its files", arguments: tensorCounts.sorted { $0.key < $1.key })
    func opens(path: String, tensorCount: Int) throws {
        let file = try ModelFile.open(path)
        #expect(file.tensors.count == tensorCount)
        for tensor in file.tensors {
            #expect(tensor.range.upperBound <= file.files[tensor.fileIndex].byteCount)
            let view = try file.view(tensor.name)
            #expect(view.bytes.count == tensor.byteCount)
            #expect(file.tensor(tensor.name) == tensor)
        }
    }
}
