import Testing

@testable import Measuring

@Suite("Spread")
struct SpreadTests {
    @Test("the median is in the middle, of an even count between the two in the middle")
    func median() {
        #expect(Spread([3]).median == 3)
        #expect(Spread([5, 1, 9]).median == 5)
        #expect(Spread([4, 1, 9, 2]).median == 3)
        let spread = Spread([5, 1, 9])
        #expect(spread.low == 1 && spread.high == 9 && spread.samples == [5, 1, 9])
    }

    @Test("spreads are apart when they have no value in common")
    func apart() {
        #expect(Spread([1, 2]).isApart(from: Spread([3, 4])))
        #expect(Spread([3, 4]).isApart(from: Spread([1, 2])))
        #expect(!Spread([1, 3]).isApart(from: Spread([3, 4])))
        #expect(!Spread([1, 9]).isApart(from: Spread([3, 4])))
    }
}
