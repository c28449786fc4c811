/// The coordinator's answer to a hello.
package enum HelloReply: Sendable, Hashable {
    case accepted(RunID, HeartbeatSettings)
    case refused(HelloRefusal)
}

/// How often both sides say that they are alive, and after what silence the other counts as dead.
package struct HeartbeatSettings: Sendable, Hashable {
    package var interval: Duration
    package var deadAfter: Duration

    package init(interval: Duration = .milliseconds(500), deadAfter: Duration = .seconds(2)) {
        self.interval = interval
        self.deadAfter = deadAfter
    }
}

package struct HelloRefusal: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// The protocol numbers differ. Final.
        case versionMismatch
        /// The configuration lists no such worker. Final.
        case unknownName
        /// Another process holds the name and its lease runs; it may be a dead one's, so trying again is right for
        /// as long as a lease lasts.
        case nameTaken
        /// The hello itself is wrong: an endpoint beyond loopback, say. Final.
        case invalid
        /// The coordinator is stopping. Final for a worker that it started; others wait for the next coordinator.
        case stopping
    }

    package var reason: Reason
    /// The coordinator's version, so that both sides can name both.
    package var version: ProtocolVersion
    /// One line for the log: what was found, what was expected.
    package var message: String

    package init(_ reason: Reason, version: ProtocolVersion = .current, message: String) {
        self.reason = reason
        self.version = version
        self.message = message
    }
}
