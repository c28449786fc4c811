import Sharding
import Threads
import ZeroMQ

/// The thread that owns the coordinator's sockets: control (ROUTER), results (ROUTER), and the way to the first stage.
package final class SocketThread: Sendable {
    enum Command: Sendable {
        case order([UInt8], to: PeerID)
        /// Connects to a first stage, in place of an earlier epoch's.
        case connect(Epoch, Endpoint, CurvePublicKey?)
        /// Replaces those that may send results.
        case admitResults(Set<CurvePublicKey>)
        /// Measures the ways to workers.
        case measure(LinkOrder)
        /// Replaces the list of those who may report, and ends the connections of some who may no longer.
        case admit(Set<CurvePublicKey>, endingThoseOf: Set<CurvePublicKey>)
        case step(StepFrame)
        case stop
    }

    /// A step as it is sent to the first stage.
    struct StepFrame: Sendable {
        var id: UInt64
        var epoch: Epoch
        var frame: [UInt8]
        /// The second frame; nil where there are no rows.
        var hidden: HiddenStates?
        /// Whether the frame asks for an echo.
        var wantsEcho: Bool
    }

    package enum Event: Sendable {
        case report(WorkerReport, PeerID, RunID)
        /// With the bytes of all of the step's messages.
        case result(StepResultMessage, wireBytes: Int)
        /// The first stage takes steps; with what the way there gives.
        case connected(Epoch, LinkEstimate)
        case linkMeasured(Epoch, LinkEstimate)
        case linksMeasured(LinkFindings)
        case disconnected(Epoch)
        case notSent(step: UInt64, Epoch, String)
        /// A message that is none of ours; at most one a second is told.
        case rejected(String)
        /// A peer that was not let in; not all of them are told, ``SocketThread/refusals`` counts them.
        case refused(AdmissionRefusal)
        /// The thread ended because of this; there are no more events.
        case broken(String)
    }

    /// Where the sockets listen, with the ports that were taken.
    package struct Endpoints: Sendable, Hashable {
        package var control: Endpoint
        package var results: Endpoint
    }

    /// What there is once the sockets listen.
    struct Bound: Sendable {
        var endpoints: Endpoints
        var context: Context
        var admission: Admission?
    }

    struct Options: Sendable {
        var control: Endpoint
        var results: Endpoint
        /// nil: connections are in clear.
        var keys: CurveKeyPair?
        /// Those who may report at the beginning.
        var admitted: Set<CurvePublicKey> = []
        var run: RunID
        var heartbeat: HeartbeatSettings
        /// Rows of a step times the vocabulary.
        var logitCountMax: Int
        /// Orders and steps that wait to be sent.
        var commandsMax = 1024
        /// Events that wait for the service before the sockets are left unread.
        var eventsMax = 4096

        func security(_ domain: AdmissionDomain) -> SocketSecurity {
            keys.map { .server($0, domain: domain) } ?? .none
        }

        /// The application's times, for libzmq too.
        var pings: SocketOptions.Heartbeat {
            SocketOptions.Heartbeat(interval: heartbeat.interval, timeout: heartbeat.deadAfter)
        }
    }

    package let endpoints: Endpoints
    let events: EventQueue
    /// For further sockets of the coordinator, which the same lists admit to.
    let context: Context
    let admission: Admission?
    private let mailbox: Mailbox<Command>
    private let thread: OwnedThread

    private init(
        _ bound: Bound, events: EventQueue, mailbox: Mailbox<Command>, thread: OwnedThread
    ) {
        endpoints = bound.endpoints
        context = bound.context
        admission = bound.admission
        self.events = events
        self.mailbox = mailbox
        self.thread = thread
    }

    /// Binds the sockets on a thread of their own.
    static func start(_ options: Options) async throws(ZeroMQError) -> SocketThread {
        let wakeup = try Wakeup()
        let mailbox = Mailbox<Command>(capacity: options.commandsMax, wakeup: wakeup)
        let events = EventQueue(fullCount: options.eventsMax)
        let (bound, boundContinuation) = AsyncStream<Result<Bound, ZeroMQError>>.makeStream()
        let thread = OwnedThread(name: "coordinator") {
            CoordinatorSockets.run(options, wakeup: wakeup, mailbox: mailbox, events: events) { result in
                boundContinuation.yield(result)
                boundContinuation.finish()
            }
        }
        for await result in bound {
            return SocketThread(try result.get(), events: events, mailbox: mailbox, thread: thread)
        }
        throw ZeroMQError(operation: "coordinator thread", errno: 0, hint: "it ended before it began")
    }

    /// Peers that were not let in so far; nil where connections are in clear.
    package var refusals: RefusalCounts? { admission?.refusals }

    /// Any thread; a full mailbox refuses.
    func post(_ command: Command) throws(Mailbox<Command>.Refusal) { try mailbox.post(command) }

    /// Sends what waits and closes the sockets; waits for that. Not on the cooperative pool.
    func stopAndJoin() {
        try? mailbox.post(.stop)
        mailbox.close()
        thread.join()
    }
}
