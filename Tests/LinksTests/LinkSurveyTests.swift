import Sharding
import Testing
import ZeroMQ

@testable import Links

@Suite("Measuring the ways to several ends")
struct LinkSurveyTests {
    /// An end that answers probes, or keeps silent.
    private struct End {
        let socket: LoopSocket
        let endpoint: Endpoint
        let answers: Bool

        init(answers: Bool, in loop: SocketLoop) throws {
            socket = try loop.open(.router, options: DataLink.receiverOptions(.none))
            endpoint = try socket.socket.bind(.loopback())
            self.answers = answers
        }

        func serve() throws {
            while let message = try socket.socket.receive() {
                let probe = try message.header.withBytes { (header) throws(WireError) in
                    try message.payload.withBytes { (payload) throws(WireError) in
                        try LinkProbe(try CheckedFrame(header, payload: payload))
                    }
                }
                guard answers else { continue }
                let echo = LinkEcho(answering: .linkProbe, number: probe.number)
                try LinkAnswer.send(echo, to: message.sender, over: socket.socket)
            }
        }
    }

    /// What is found about ends of these names; others listen nowhere.
    private func survey(
        _ names: [String], answering: Set<String>, silent: Set<String> = [], endpoints: [String: String] = [:]
    ) throws -> [String: LinkTable.Finding] {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        var ends: [String: End] = [:]
        for name in answering.union(silent) { ends[name] = try End(answers: answering.contains(name), in: loop) }
        let order = LinkOrder(
            number: 7,
            targets: names.map { name in
                LinkOrder.Target(
                    name: name,
                    endpoint: endpoints[name] ?? ends[name].map { "\($0.endpoint)" } ?? "tcp://127.0.0.1:1")
            })
        let survey = LinkSurvey(
            order, in: loop, run: RunID.random(), heartbeat: SocketOptions.Heartbeat(), now: .now
        ) { target in
            guard let endpoint = Endpoint(target.endpoint) else { return .failure(LinkProblem("no endpoint")) }
            return .success(LinkTarget(endpoint: endpoint, security: .none))
        }
        defer { survey.close() }
        let until = ContinuousClock.now + .seconds(30)
        while .now < until {
            for end in ends.values { try end.serve() }
            guard let findings = try survey.watch(now: .now) else {
                try loop.wait(until: survey.deadline)
                continue
            }
            #expect(findings.number == 7)
            return Dictionary(uniqueKeysWithValues: findings.results.map { ($0.name, $0.finding) })
        }
        Issue.record("no findings")
        return [:]
    }

    private func isMeasured(_ finding: LinkTable.Finding?) -> Bool {
        if case .measured = finding { true } else { false }
    }

    private func obstacle(_ finding: LinkTable.Finding?) -> String? {
        if case .unreachable(let reason) = finding { reason } else { nil }
    }

    @Test("one that does not answer keeps the others from nothing")
    func silentEnd() throws {
        let found = try survey(["mute", "a", "nowhere", "b"], answering: ["a", "b"], silent: ["mute"])
        #expect(isMeasured(found["a"]) && isMeasured(found["b"]))
        #expect(obstacle(found["mute"])?.hasSuffix("it does not answer probes") == true)
        #expect(obstacle(found["nowhere"])?.hasPrefix("tcp://127.0.0.1:1: ") == true)
    }

    @Test("what no time was left for is not called unreachable")
    func noTime() throws {
        let mute = (0..<8).map { "mute\($0)" }
        let found = try survey(mute + ["last"], answering: ["last"], silent: Set(mute))
        #expect(obstacle(found["last"]) == nil)
        #expect(mute.contains { obstacle(found[$0]) != nil })
        #expect(mute.contains { found[$0] == nil })
    }

    @Test("more ends than are asked at a time are all asked")
    func many() throws {
        let names = (0..<LinkSurvey.openMax + 4).map { "w\($0)" }
        let found = try survey(names, answering: Set(names))
        #expect(names.allSatisfy { isMeasured(found[$0]) })
    }

    @Test("names are looked up, and one that nobody knows says so")
    func names() throws {
        let found = try survey(
            ["a", "b"], answering: ["a"], endpoints: ["b": "tcp://no-such-host.invalid:4000"])
        #expect(isMeasured(found["a"]))
        #expect(obstacle(found["b"])?.contains("no-such-host.invalid") == true)
    }
}
