import Testing

@testable import LoadTesting

@Suite("Counts of tokens")
struct TokenCountsTests {
    private func draws(_ text: String, _ count: Int = 10_000) throws -> [Int] {
        let counts = try #require(TokenCounts(text))
        var random = SplitMix64(7)
        return (0..<count).map { _ in counts.count(&random) }
    }

    @Test("one count is always the same; several are drawn, each about as often")
    func values() throws {
        #expect(Set(try draws("128")) == [128])
        let draws = try draws("64,128,256")
        for value in [64, 128, 256] { #expect((3200...3470).contains(draws.count { $0 == value })) }
    }

    @Test("a range is drawn from its first to its last")
    func uniform() throws {
        let draws = try draws("64..512")
        #expect(draws.min() == 64 && draws.max() == 512)
        #expect((284...292).contains(draws.reduce(0, +) / draws.count))
    }

    @Test("a lognormal distribution has its median in the middle and its deviation around it")
    func lognormal() throws {
        let draws = try draws("lognormal:128,0.5").sorted()
        #expect((126...130).contains(draws[draws.count / 2]))
        // A deviation of the logarithm up and down holds 84 % and 16 %.
        #expect((207...215).contains(draws[8413]) && (76...79).contains(draws[1587]))
        #expect(draws[0] >= 1)
    }

    @Test(
        "what is no count is refused",
        arguments: [
            "", "0", "-1", "1,", ",1", "1..", "..2", "5..4", "1..2..3", "a", "1.5", "lognormal:", "lognormal:128",
            "lognormal:0,1",
            "lognormal:128,-1", "lognormal:128,nan", "lognormal:128,9", "lognormal:128,0.5,1", "1048577",
            "99999999999999999999",
        ])
    func refused(text: String) {
        #expect(TokenCounts(text) == nil)
    }
}
