import Sharding
import ZeroMQ

/// Measures the ways from here to several ends, in turn, so that they do not share this end's cable.
///
/// What it had no time for it says nothing of: only an end that did not answer is called unreachable.
package final class LinkSurvey {
    /// From the order to the last echo.
    package static let within = Duration.seconds(5)
    /// How long a way keeps the next one waiting.
    static let turn = Duration.seconds(1)
    /// Connections at a time.
    static let openMax = 16

    private enum State {
        case waiting(LinkTarget)
        case open(DataLink)
        case found(LinkTable.Finding)
        /// No time was left for it.
        case unknown
    }

    private struct Way {
        let name: String
        var state: State
        var hadTurn = false

        var link: DataLink? { if case .open(let link) = state { link } else { nil } }
        var isDone: Bool {
            switch state {
            case .waiting, .open: false
            case .found, .unknown: true
            }
        }
    }

    private let number: UInt64
    private let run: RunID
    private let heartbeat: SocketOptions.Heartbeat
    private let loop: SocketLoop
    private let until: ContinuousClock.Instant
    private var ways: [Way] = []
    /// Whose turn it is, and how long that lasts.
    private var current: (index: Int, until: ContinuousClock.Instant)?

    /// - Parameter target: where a way leads, or why there is none.
    package init(
        _ order: LinkOrder, in loop: SocketLoop, run: RunID, heartbeat: SocketOptions.Heartbeat,
        now: ContinuousClock.Instant, target: (LinkOrder.Target) -> Result<LinkTarget, LinkProblem>
    ) {
        number = order.number
        self.run = run
        self.heartbeat = heartbeat
        self.loop = loop
        until = now + Self.within
        ways = order.targets.map { end in
            switch target(end) {
            case .success(let target): Way(name: end.name, state: .waiting(target))
            case .failure(let problem): Way(name: end.name, state: .found(.unreachable(problem.message)))
            }
        }
    }

    /// When it has something to do even if nothing happens.
    package var deadline: ContinuousClock.Instant { min(until, current?.until ?? until) }

    /// Goes on measuring; returns what was found, once all is done or the time is up. Close it then.
    package func watch(now: ContinuousClock.Instant) throws(ZeroMQError) -> LinkFindings? {
        openMore()
        for index in ways.indices { try watch(index, now: now) }
        if now >= until { for index in ways.indices where !ways[index].isDone { giveUp(index) } }
        try measureNext(now: now)
        guard ways.allSatisfy(\.isDone) else { return nil }
        return LinkFindings(
            number: number,
            results: ways.compactMap { way in
                guard case .found(let finding) = way.state else { return nil }
                return LinkFindings.Result(name: way.name, finding: finding)
            })
    }

    package func close() {
        for way in ways { way.link?.close() }
        ways = []
    }

    private func openMore() {
        var openCount = ways.count { $0.link != nil }
        for index in ways.indices where openCount < Self.openMax {
            guard case .waiting(let target) = ways[index].state else { continue }
            do throws(ZeroMQError) {
                let link = try DataLink(to: target, in: loop, run: run, heartbeat: heartbeat, linger: .zero)
                link.mayProbe = false
                ways[index].state = .open(link)
                openCount += 1
            } catch {
                ways[index].state = .found(.unreachable("\(target.endpoint): \(error)"))
            }
        }
    }

    private func watch(_ index: Int, now: ContinuousClock.Instant) throws(ZeroMQError) {
        guard let link = ways[index].link else { return }
        for change in try link.watch(now: now) {
            guard case .measured(let estimate) = change else { continue }
            finish(index, .found(.measured(estimate)))
        }
    }

    /// The next that stands has its turn when those before it are done, or have had theirs; those that do not stand yet
    /// keep nobody waiting.
    private func measureNext(now: ContinuousClock.Instant) throws(ZeroMQError) {
        if let current, now < current.until, ways[current.index].link?.isConnected == true { return }
        current = nil
        guard let next = ways.firstIndex(where: { $0.link?.isConnected == true && !$0.hadTurn }) else { return }
        current = (next, now + Self.turn)
        ways[next].hadTurn = true
        ways[next].link?.mayProbe = true
        try watch(next, now: now)
    }

    private func giveUp(_ index: Int) {
        let isLate = current?.index == index
        guard let link = ways[index].link, !link.isConnected || (ways[index].hadTurn && !isLate && !link.isAnswered)
        else { return finish(index, .unknown) }
        let problem = link.obstacle ?? "no answer within \(Self.within)"
        finish(index, .found(.unreachable("\(link.target.endpoint): \(problem)")))
    }

    private func finish(_ index: Int, _ state: State) {
        ways[index].link?.close()
        ways[index].state = state
    }
}

/// Why a link cannot even be tried; one line.
package struct LinkProblem: Error, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}
