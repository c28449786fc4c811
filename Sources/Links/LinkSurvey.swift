import Sharding
import ZeroMQ

/// Measures the ways from here to several ends, one after the other, so that they do not share this end's cable.
package final class LinkSurvey {
    /// From the order to the last echo.
    package static let within = Duration.seconds(5)

    private struct Way {
        let name: String
        /// nil once there is a finding.
        var link: DataLink?
        var finding: LinkTable.Finding?
    }

    private let number: UInt64
    private let until: ContinuousClock.Instant
    private var ways: [Way] = []

    /// Connects to all of them.
    ///
    /// - Parameter target: where a way leads, or why there is none.
    package init(
        _ order: LinkOrder, in loop: SocketLoop, run: RunID, heartbeat: SocketOptions.Heartbeat,
        now: ContinuousClock.Instant, target: (LinkOrder.Target) -> Result<LinkTarget, LinkProblem>
    ) throws(ZeroMQError) {
        number = order.number
        until = now + Self.within
        for end in order.targets {
            switch target(end) {
            case .success(let target):
                let link = try DataLink(to: target, in: loop, run: run, heartbeat: heartbeat, linger: .zero)
                link.mayProbe = false
                ways.append(Way(name: end.name, link: link))
            case .failure(let problem):
                ways.append(Way(name: end.name, finding: .unreachable(problem.message)))
            }
        }
    }

    /// When it has something to say even if nothing happens.
    package var deadline: ContinuousClock.Instant { until }

    /// Goes on measuring; returns what was found, once all is done or the time is up. Close it then.
    package func watch(now: ContinuousClock.Instant) throws(ZeroMQError) -> LinkFindings? {
        for index in ways.indices {
            guard let link = ways[index].link else { continue }
            for change in try link.watch(now: now) {
                guard case .measured(let estimate) = change else { continue }
                finish(index, .measured(estimate))
            }
        }
        if now >= until {
            for index in ways.indices where ways[index].finding == nil {
                let target = ways[index].link?.target.endpoint.description ?? ""
                let problem = ways[index].link?.lastProblem ?? "no answer within \(Self.within)"
                finish(index, .unreachable("\(target): \(problem)"))
            }
        }
        // The first that stands is measured; those that do not stand yet keep nobody waiting.
        if let next = ways.first(where: { $0.link?.isConnected == true })?.link, !next.mayProbe {
            next.mayProbe = true
            return try watch(now: now)
        }
        guard ways.allSatisfy({ $0.finding != nil }) else { return nil }
        return LinkFindings(
            number: number,
            results: ways.compactMap { way in way.finding.map { LinkFindings.Result(name: way.name, finding: $0) } })
    }

    package func close() {
        for way in ways { way.link?.close() }
        ways = []
    }

    private func finish(_ index: Int, _ finding: LinkTable.Finding) {
        ways[index].finding = finding
        ways[index].link?.close()
        ways[index].link = nil
    }
}

/// Why a link cannot even be tried; one line.
package struct LinkProblem: Error, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}
