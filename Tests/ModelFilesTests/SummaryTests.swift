import Testing

@testable import ModelFiles

@Suite("Summaries of model files")
struct SummaryTests {
    @Test("parameters are counted, and bytes by type add up")
    func demo() throws {
        let file = try ModelFile.open(Fixtures.demo + "/demo-q8_0.gguf")
        let plain = try ModelFile.open(Fixtures.demo + "/hf")
        #expect(file.parameterCount == plain.parameterCount)
        let types = file.bytesByType
        #expect(types.first?.type == .q8_0 && types.last?.type == .f32)
        #expect(types.reduce(0) { $0 + $1.byteCount } == file.tensors.reduce(0) { $0 + $1.byteCount })
    }

    @Test("advice about any range of a mapping changes nothing that is read")
    func advice() throws {
        let file = try ModelFile.open(Fixtures.demo + "/demo-f16.gguf")
        let tensor = try #require(file.tensor("blk.3.ffn_up.weight"))
        let before = Array(file.bytes(of: tensor))
        for advice in [MappedFile.Advice.willNeed, .sequential, .dontNeed] {
            file.advise(advice, tensor)
            file.files[0].advise(advice, -5..<Int.max)
        }
        #expect(Array(file.bytes(of: tensor)) == before)
        #expect(file.files[0].identity?.byteCount == file.byteCount)
    }
}
