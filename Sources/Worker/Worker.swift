import Logging
import Sharding
import Threads
import ZeroMQ

/// A worker process's whole business: joins its coordinator, loads its layers, turns steps into steps.
///
/// Two threads of its own do that: control and steps. Neither uses the concurrency runtime.
package final class Worker: Sendable {
    /// A step that takes longer does not end at all.
    private static let stepsEndWithin = Duration.seconds(5)

    private let inbox: Mailbox<ControlEvent>
    private let control: OwnedThread
    private let outcomes: AsyncStream<WorkerOutcome>

    /// Starts the threads; the worker then waits for its coordinator.
    ///
    /// - Throws: ``WorkerError`` when sockets cannot be made or the device cannot be used.
    package init(_ configuration: WorkerConfiguration, logger: Logger) throws(WorkerError) {
        let context: Context
        let admission: Admission?
        let controlWakeup: Wakeup
        let stepWakeup: Wakeup
        do throws(ZeroMQError) {
            context = try Context()
            admission = configuration.security == nil ? nil : try Admission(in: context)
            controlWakeup = try Wakeup()
            stepWakeup = try Wakeup()
        } catch {
            throw WorkerError(.failed, place: "sockets", "\(error)")
        }
        let exchange = try WeightExchange(
            configuration, context: context, admission: admission, logger: logger)
        let inbox = Mailbox<ControlEvent>(capacity: 4096, wakeup: controlWakeup)
        let steps = Mailbox<StepCommand>(capacity: 256, wakeup: stepWakeup)
        let counters = StepCounters()
        let (outcomes, outcome) = AsyncStream<WorkerOutcome>.makeStream()
        self.inbox = inbox
        self.outcomes = outcomes
        control = OwnedThread(name: "shard-control") {
            let stepThread = OwnedThread(name: "shard-steps") {
                StepLoop.main(
                    configuration, context: context, admission: admission, wakeup: stepWakeup, inbox: steps,
                    control: inbox, counters: counters, logger: logger)
            }
            let result = ControlLoop.main(
                configuration, context: context, exchange: exchange, wakeup: controlWakeup, inbox: inbox,
                steps: steps, counters: counters, logger: logger)
            try? steps.post(.stop)
            steps.close()
            if !stepThread.join(within: Self.stepsEndWithin) {
                // It computes for ever: the process's end ends it.
                logger.error("a step still runs \(Self.stepsEndWithin) after the order to stop; leaving without it")
            }
            exchange?.stop()
            outcome.yield(result)
            outcome.finish()
        }
    }

    /// Asks the worker to tell its coordinator and to end; any thread.
    package func leave(_ reason: String) {
        // Refused only when it is ending already.
        try? inbox.post(.leave(reason))
    }

    /// Waits for the end; once.
    package func outcome() async -> WorkerOutcome {
        for await outcome in outcomes { return outcome }
        return .left("it ended before")
    }
}
