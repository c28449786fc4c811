import Testing

@testable import Streaming

@Suite("trials of ways to read")
struct ReadTrialsTests {
    private static let pieces = [Piece(file: 0, offset: 0, byteCount: 64 << 20)]

    private func next(_ trials: inout ReadTrials) -> ReadSettings? {
        trials.next(ringBytes: 64 << 20, pieces: Self.pieces)
    }

    @Test("every way is tried, and the fastest wins")
    func fastest() throws {
        var trials = ReadTrials(canReadDirectly: true)
        var tried: [ReadSettings] = []
        while let settings = next(&trials) {
            tried.append(settings)
            let time = settings == ReadSettings(.buffered, depth: 1) ? 50 : 60
            trials.record(settings, (bytes: 64 << 20, time: .milliseconds(time)))
        }
        #expect(Set(tried).count == 5 && !trials.isRunning)
        #expect(trials.best?.settings == ReadSettings(.buffered, depth: 1))
    }

    @Test("a way that is much slower is given up, and other depths of it are left out")
    func hopeless() throws {
        var trials = ReadTrials(canReadDirectly: true)
        var tried: [ReadSettings] = []
        while let settings = next(&trials) {
            tried.append(settings)
            let slow = (bytes: 32 << 20, time: Duration.milliseconds(100))
            #expect(trials.isHopeless(slow) == (tried.count > 1))
            trials.record(settings, settings.method == .direct ? (bytes: 64 << 20, time: .milliseconds(50)) : slow)
        }
        #expect(tried.map(\.method) == [.direct, .direct, .direct, .buffered])
        #expect(trials.best?.settings.method == .direct)
    }

    @Test("the first moments say nothing")
    func tooEarly() throws {
        var trials = ReadTrials(canReadDirectly: true)
        let first = try #require(next(&trials))
        #expect(!trials.isHopeless((bytes: 64 << 20, time: .seconds(10))))
        trials.record(first, (bytes: 64 << 20, time: .milliseconds(50)))
        #expect(!trials.isHopeless((bytes: 1 << 20, time: .seconds(1))))
    }
}
