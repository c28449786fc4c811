import Testing

@testable import Devices
@testable import Measuring

@Suite("Limits of the machine")
struct MachineLimitsTests {
    @Test("the best of several ways to read is the limit, by its median")
    func best() {
        let limits = ThreadLimits(
            ThreadLimitSamples(
                threads: 3,
                reads: [
                    LimitSamples(name: "lucky once", perSecond: [1, 1, 9]),
                    LimitSamples(name: "steady", perSecond: [5, 6, 4]),
                ],
                integers: LimitSamples(name: "products", perSecond: [7]),
                floats: LimitSamples(name: "fma", perSecond: [8])))
        #expect(limits.threads == 3)
        #expect(limits.read.loop == "steady" && limits.read.perSecond.median == 5)
        #expect(limits.integer.loop == "products" && limits.float.perSecond.median == 8)
    }

    @Test("a share is the time of the closer limit over the time that it took")
    func share() {
        // Reads 100, integers 1000, floats 500 a second.
        let limits = Fixtures.limits
        let reading = limits.share(
            of: Work(bytes: 200, integerOperations: 100, floatOperations: 0), seconds: 4)
        #expect(reading == LimitShare(share: 0.5, limit: .read))
        let computing = limits.share(
            of: Work(bytes: 10, integerOperations: 2000, floatOperations: 0), seconds: 8)
        #expect(computing == LimitShare(share: 0.25, limit: .integer))
        // Both kinds of products need the same units, one after the other.
        let both = limits.share(of: Work(bytes: 0, integerOperations: 1000, floatOperations: 1500), seconds: 8)
        #expect(both == LimitShare(share: 0.5, limit: .float))
    }
}
