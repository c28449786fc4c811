/// What the way from one end to another gives, as far as it was measured.
package struct LinkEstimate: Sendable, Hashable {
    /// Of a small message and its echo.
    package var roundTrip: Duration
    /// Of long messages; finite and above 0.
    package var bytesPerSecond: Double

    package init(roundTrip: Duration, bytesPerSecond: Double) {
        self.roundTrip = roundTrip
        self.bytesPerSecond = bytesPerSecond
    }

    /// What two processes of one machine are taken for until their way was measured.
    package static let assumedLocal = LinkEstimate(roundTrip: .microseconds(100), bytesPerSecond: 1e9)
    /// What two machines are taken for: the cable and the switch that most people have.
    package static let assumedRemote = LinkEstimate(roundTrip: .milliseconds(1), bytesPerSecond: 1e8)

    /// Time that one message takes, from the send to the other end's having read it.
    package func seconds(ofBytes count: Int) -> Double {
        roundTrip.seconds / 2 + Double(count) / bytesPerSecond
    }

    /// `0.4 ms, 112 MB/s`, of round trip and rate.
    package var text: String {
        let milliseconds = roundTrip.seconds * 1000
        return "\(Self.digits(milliseconds)) ms, \(Self.digits(bytesPerSecond / 1e6)) MB/s"
    }

    /// Two digits at least of small numbers, none after the point of large ones.
    private static func digits(_ value: Double) -> String {
        let places = value < 1 ? 100.0 : value < 10 ? 10.0 : 1.0
        let scaled = Int((value * places).rounded())
        guard places > 1 else { return "\(scaled)" }
        let whole = scaled / Int(places)
        let rest = String(scaled % Int(places))
        let width = places == 100 ? 2 : 1
        return "\(whole).\(String(repeating: "0", count: width - rest.count))\(rest)"
    }
}

extension Duration {
    /// Divided, not multiplied: 30 ms are the number that 0.03 is.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
