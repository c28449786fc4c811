import Links
import Sharding
import ZeroMQ

/// What an order to measure links leaves open: those who measure the way to here are expected until the next load.
struct OpenSurvey {
    let run: RunID
    let admittedKeys: Set<CurvePublicKey>
    /// nil once all was found that was asked for.
    var survey: LinkSurvey?
    /// When it is over, whatever came.
    let until: ContinuousClock.Instant

    static let openFor = Duration.seconds(30)

    var deadline: ContinuousClock.Instant { survey?.deadline ?? until }
}

/// Ways to other ends, before layers are dealt out.
extension StepLoop {
    func measure(
        _ order: LinkOrder, _ run: RunID, _ heartbeat: SocketOptions.Heartbeat
    ) throws(ZeroMQError) {
        let earlier = survey?.run == run ? survey?.admittedKeys ?? [] : []
        endSurvey()
        let now = ContinuousClock.now
        let links = LinkSurvey(order, in: loop, run: run, heartbeat: heartbeat, now: now) { end in
            target(end.endpoint, end.key)
        }
        survey = OpenSurvey(
            run: run, admittedKeys: earlier.union(order.admittedKeys), survey: links, until: now + OpenSurvey.openFor)
        admitSenders()
        try watchSurvey(now: now)
    }

    func watchSurvey(now: ContinuousClock.Instant) throws(ZeroMQError) {
        if let findings = try survey?.survey?.watch(now: now) {
            survey?.survey?.close()
            survey?.survey = nil
            post(.linksMeasured(findings))
        }
        guard let survey, now >= survey.until else { return }
        endSurvey()
        admitSenders()
    }

    func endSurvey() {
        survey?.survey?.close()
        survey = nil
    }
}
