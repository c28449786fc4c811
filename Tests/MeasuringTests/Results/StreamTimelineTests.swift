import Foundation
import Measuring
import Streaming
import Testing

@Suite("Timeline of reads and products")
struct StreamTimelineTests {
    private let zero = ContinuousClock.now

    private func event(_ kind: StreamEvent.Kind, _ start: Int, _ end: Int) -> StreamEvent {
        StreamEvent(
            kind, piece: 0, byteCount: 1_000_000, start: zero + .milliseconds(start), end: zero + .milliseconds(end))
    }

    @Test("reads that overlap lie in rows, and the time is shared out between use, rest and waiting")
    func drawing() throws {
        let events = [
            event(.read, 0, 40), event(.read, 10, 50), event(.wait, 0, 40), event(.use, 40, 60), event(.read, 50, 100),
            event(.use, 80, 100),
        ]
        let drawing = try #require(StreamTimeline(events, title: "a <b>"))
        let svg = drawing.svg()
        #expect(svg.hasPrefix("<svg") && svg.hasSuffix("</svg>\n"))
        #expect(svg.contains("a &lt;b&gt;"))
        #expect(svg.contains("computes, read 40 %") && svg.contains("computes, stays 20 %"))
        #expect(svg.contains("waits for the disk 40 %"))
        #expect(svg.contains("30 MB/s in 100 ms"))
        // Two rows of reads, uses, rest and waits.
        #expect(svg.components(separatedBy: "fill=\"#4477aa\"").count == 4)
        #expect(Set(svg.matches(of: /<rect [^>]*y="([0-9.]+)"/).map { String($0.output.1) }).count == 5)
    }

    @Test("a window shows the end, and nothing makes no drawing")
    func window() throws {
        #expect(StreamTimeline([], title: "") == nil)
        let events = [event(.use, 0, 100), event(.use, 900, 1000)]
        let svg = try #require(StreamTimeline(events, window: .milliseconds(100), title: "")).svg()
        #expect(svg.contains("computes, read 100 %"))
    }
}
