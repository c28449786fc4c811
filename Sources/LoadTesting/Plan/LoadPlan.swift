/// How requests come, and how many.
package struct LoadPlan: Sendable, Hashable {
    package enum Loop: Sendable, Hashable {
        /// So many clients, each of which asks again when it has its answer.
        case closed(streams: Int)
        /// Requests that come at random, so many a second, whether or not earlier ones are done.
        case open(rate: Double)
    }

    package var loop: Loop
    package var prompts: LoadPrompts
    /// Requests at most; nil: as many as the duration allows.
    package var requests: Int?
    /// No request begins later than this; nil: all requests are made.
    package var duration: Duration?
    /// Requests before that do not count.
    package var warmUp: Int
    /// Whether each prompt is asked alone beforehand, and its text compared with all that come later.
    package var comparesTexts: Bool

    /// Answers that an open loop waits for at once; a request beyond is counted as not sent.
    package static let inFlightMax = 4096
    /// A client whose request failed waits this long, or as long as the server asks for, up to ``pauseMax``.
    package static let pauseAfterFailure: Duration = .milliseconds(100)
    package static let pauseMax: Duration = .seconds(10)

    package init(
        loop: Loop, prompts: LoadPrompts, requests: Int? = nil, duration: Duration? = nil, warmUp: Int = 0,
        comparesTexts: Bool = false
    ) {
        self.loop = loop
        self.prompts = prompts
        self.requests = requests
        self.duration = duration
        self.warmUp = warmUp
        self.comparesTexts = comparesTexts
    }

    /// Clients of a closed loop; 0 in an open one.
    package var streams: Int {
        switch loop {
        case .closed(let streams): streams
        case .open: 0
        }
    }

    /// Connections at most.
    package var connectionsMax: Int {
        switch loop {
        case .closed(let streams): streams
        case .open: Self.inFlightMax
        }
    }
}
