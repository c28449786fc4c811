import Sharding
import Simulation
import Testing

@testable import Coordinator

@Suite("Stage clock")
struct StageClockTests {
    @Test("a step alone is computed at each stage after the other, with the rest dealt to the hops")
    func alone() {
        var clock = StageClock(stageCount: 2)
        let spans = clock.place(
            compute: [.milliseconds(10), .milliseconds(20)], sent: .milliseconds(100), arrived: .milliseconds(136))
        #expect(spans == [.milliseconds(102)..<(.milliseconds(112)), .milliseconds(114)..<(.milliseconds(134))])
    }

    @Test("a step waits for the one before at the slow stage")
    func waiting() {
        var clock = StageClock(stageCount: 2)
        let compute: [Duration] = [.milliseconds(10), .milliseconds(50)]
        _ = clock.place(compute: compute, sent: .zero, arrived: .milliseconds(60))
        let second = clock.place(compute: compute, sent: .zero, arrived: .milliseconds(110))
        #expect(second[0] == .milliseconds(10)..<(.milliseconds(20)))
        #expect(second[1] == .milliseconds(60)..<(.milliseconds(110)))
    }

    @Test("spans of a stage never overlap and lie between sending and arrival", arguments: 0..<50)
    func properties(seed: UInt64) {
        var random = SeededRandom(seed)
        let count = 1 + random.below(4)
        var clock = StageClock(stageCount: count)
        var ends = [Duration](repeating: .zero, count: count)
        var (sent, arrived) = (Duration.zero, Duration.zero)
        for _ in 0..<200 {
            sent += .microseconds(random.below(500))
            arrived = max(arrived, sent) + .microseconds(random.below(2000))
            let compute = (0..<count).map { _ in Duration.microseconds(random.below(1500)) }
            let spans = clock.place(compute: compute, sent: sent, arrived: arrived)
            var before = sent
            for (index, span) in spans.enumerated() {
                #expect(span.lowerBound >= ends[index] && span.lowerBound >= before && span.upperBound <= arrived)
                #expect(span.upperBound - span.lowerBound <= compute[index])
                ends[index] = span.upperBound
                before = span.upperBound
            }
        }
    }
}
