import Testing

@testable import Sharding

@Suite("Messages about links")
struct LinkMessageTests {
    @Test("a probe arrives as it was, with a payload and without")
    func probe() throws {
        for payload in [[], WireSamples.weights, [UInt8](repeating: 1, count: LinkProbe.payloadBytesMax)] {
            let frame = try payload.withUnsafeBytes { try WireSamples.probe.frame(payload: $0) }
            let read = try frame.withUnsafeBytes { frame in
                try payload.withUnsafeBytes { try LinkProbe(CheckedFrame(frame, payload: $0)) }
            }
            #expect(read == WireSamples.probe)
        }
        let long = [UInt8](repeating: 1, count: LinkProbe.payloadBytesMax + 1)
        #expect(throws: WireError.self) { try long.withUnsafeBytes { try WireSamples.probe.frame(payload: $0) } }
    }

    @Test("an echo arrives as it was, and answers only what may ask for one")
    func echo() throws {
        for echo in WireSamples.echoes {
            let read = try echo.frame().withUnsafeBytes { try LinkEcho(CheckedFrame($0)) }
            #expect(read == echo)
        }
        let wrong = try LinkEcho(answering: .load, number: 1).frame()
        #expect(throws: WireError.self) { try wrong.withUnsafeBytes { try LinkEcho(CheckedFrame($0)) } }
    }

    @Test("a rate that no link has is refused", arguments: [0, -1, 1e-300, 1e300, .nan, .infinity] as [Double])
    func badRates(rate: Double) throws {
        let report = WorkerReport.linkMeasured(
            MeasuredLink(epoch: Epoch(1), stage: 0, estimate: LinkEstimate(roundTrip: .zero, bytesPerSecond: 77)))
        // Bounds hold when it is sent, too; so the bytes are changed on the way.
        let good = withUnsafeBytes(of: Double(77).bitPattern.littleEndian) { Array($0) }
        let bad = withUnsafeBytes(of: rate.bitPattern.littleEndian) { Array($0) }
        let frame = resealed(try report.frame(run: WireSamples.run)) { bytes in
            guard let start = bytes.indices.first(where: { Array(bytes[$0...].prefix(8)) == good }) else { return }
            bytes.replaceSubrange(start..<start + 8, with: bad)
        }
        #expect(throws: WireError.self) { try frame.withUnsafeBytes { try WorkerReport(CheckedFrame($0)) } }
    }

    @Test(
        "an estimate reads as people write it",
        arguments: [
            (Duration.microseconds(84), 2.1e9, "0.08 ms, 2100 MB/s"), (.milliseconds(40), 0.62e6, "40 ms, 0.62 MB/s"),
            (.microseconds(1250), 9.96e6, "1.3 ms, 10.0 MB/s"),
        ])
    func text(roundTrip: Duration, rate: Double, text: String) {
        #expect(LinkEstimate(roundTrip: roundTrip, bytesPerSecond: rate).text == text)
    }
}
