import Testing

@testable import LoadTesting

@Suite("Prompts of a load")
struct LoadPromptsTests {
    private func prompts(shared: Int = 0, distinct: Int? = nil, seed: UInt64 = 9) -> LoadPrompts {
        LoadPrompts(
            promptTokens: TokenCounts(32), outputTokens: TokenCounts(8), sharedPrefix: shared, distinct: distinct,
            seed: seed)
    }

    @Test(
        "prompts differ within their first four symbols, and those next to each other in the first",
        arguments: [64, 700])
    func prefixes(alphabet: Int) {
        let all = (0..<20_000).map { prompts().request($0, alphabet: alphabet).symbols }
        #expect(Set(all.map { $0.prefix(4) }).count == all.count)
        #expect(all.allSatisfy { $0.count == 32 && $0.allSatisfy((0..<alphabet).contains) })
        #expect(Set(all.prefix(alphabet).map(\.[0])).count == alphabet)
    }

    @Test("a shared prefix comes before what a prompt has of its own")
    func shared() {
        let all = (0..<100).map { prompts(shared: 16).request($0, alphabet: 700).symbols }
        #expect(Set(all.map { $0.prefix(16) }).count == 1 && all[0].count == 48)
        #expect(Set(all.map { $0[16] }).count == 100)
    }

    @Test("distinct prompts are taken in turn, whole requests with them")
    func distinct() {
        let prompts = prompts(distinct: 5)
        #expect(prompts.request(3, alphabet: 700) == prompts.request(13, alphabet: 700))
        #expect(Set((0..<20).map { prompts.request($0, alphabet: 700) }).count == 5)
    }

    @Test("equal seeds ask the same; others, and what warms up, something else")
    func seeds() {
        #expect(prompts().request(5, alphabet: 700) == prompts().request(5, alphabet: 700))
        #expect(prompts().request(5, alphabet: 700).symbols != prompts(seed: 10).request(5, alphabet: 700).symbols)
        #expect(prompts().request(5, alphabet: 700).symbols != prompts().forWarmUp.request(5, alphabet: 700).symbols)
    }

    @Test("a prompt shorter than its number is cut")
    func short() {
        let prompts = LoadPrompts(promptTokens: TokenCounts(1), outputTokens: TokenCounts(1), seed: 1)
        #expect(Set((0..<64).map { prompts.request($0, alphabet: 64).symbols }).count == 64)
    }
}
