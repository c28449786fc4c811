import CLinux
import Glibc
import Sharding

/// The thread of a ``LocalEngine``: takes commands, runs steps, feeds streams.
///
/// Safe to hand over although not checked: whoever makes it only calls `start`, and everything else happens on the thread.
final class EngineThread: @unchecked Sendable {
    private let queue: EngineQueue
    private let options: LocalEngine.Options
    private let load: @Sendable () throws(InferenceError) -> ShardChain
    private let report: @Sendable (Result<LocalEngine.Loaded, InferenceError>) -> Void
    private var listeners: [SequenceID: EngineListener] = [:]
    private var jobs: [EngineJob] = []

    init(
        queue: EngineQueue, options: LocalEngine.Options,
        load: @escaping @Sendable () throws(InferenceError) -> ShardChain,
        report: @escaping @Sendable (Result<LocalEngine.Loaded, InferenceError>) -> Void
    ) {
        self.queue = queue
        self.options = options
        self.load = load
        self.report = report
    }

    /// Returns an error when the system gives no thread; then nothing is reported.
    func start() -> InferenceError? {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let thread = Unmanaged<EngineThread>.fromOpaque(argument).takeRetainedValue()
                shard_thread_set_name("shard-engine")
                thread.run()
                return nil
            }, argument.toOpaque())
        guard status == 0 else {
            argument.release()
            return InferenceError(.device, place: "engine", "its thread cannot start (error \(status))")
        }
        pthread_detach(thread)
        return nil
    }

    private func run() {
        let chain: ShardChain
        do {
            chain = try load()
        } catch {
            report(.failure(error))
            return
        }
        let limits = LocalSchedule.Limits(
            contextLength: chain.options.contextLength, rowsMax: chain.options.rowsMax,
            sequencesMax: min(options.sequencesMax, chain.options.rowsMax), queueMax: options.queueMax,
            cacheBlockCount: chain.options.cacheBlockCount)
        report(
            .success(
                LocalEngine.Loaded(
                    vocabularySize: chain.model.vocabularySize, hiddenSize: chain.model.hiddenSize, limits: limits)))
        serve(chain, LocalSchedule(limits: limits))
    }

    private func serve(_ chain: ShardChain, _ initial: LocalSchedule) {
        var schedule = initial
        let start = ContinuousClock.now
        while true {
            for command in queue.take(waiting: schedule.isIdle && jobs.isEmpty) {
                guard obey(command, &schedule) else { return }
            }
            if schedule.isIdle { runJobs(chain) }
            guard let step = schedule.nextStep(now: ContinuousClock.now - start) else { continue }
            do {
                let result = try chain.run(step)
                perform(schedule.accept(result, now: ContinuousClock.now - start))
            } catch {
                // The state of every sequence is in doubt: all end, and the next ones start afresh.
                fail(schedule.removeAll(), EngineError(.failed, "\(error)"))
                chain.reset()
            }
        }
    }

    /// False when the engine stops.
    private func obey(_ command: EngineCommand, _ schedule: inout LocalSchedule) -> Bool {
        switch command {
        case .start(let id, let request, let listener):
            if schedule.add(request, as: id) {
                listeners[id] = listener
            } else {
                listener.fail(
                    EngineError(.overloaded, "\(options.queueMax) requests wait already; try again later"))
            }
        case .cancel(let id):
            schedule.cancel(id)
            fail([id], EngineError(.failed, "cancelled"))
        case .perform(let job):
            jobs.append(job)
        case .stop:
            fail(schedule.removeAll(), EngineError(.unavailable, "the engine has stopped"))
            runJobs(nil)
            return false
        }
        return true
    }

    private func runJobs(_ chain: ShardChain?) {
        for job in jobs { job(chain) }
        jobs.removeAll()
    }

    private func perform(_ actions: [LocalSchedule.Action]) {
        for action in actions {
            switch action {
            case .deliver(let id, let token):
                guard case .tokens(let stream) = listeners[id] else { continue }
                stream.yield(.token(token))
            case .finish(let id, let reason, let timings):
                guard case .tokens(let stream) = listeners.removeValue(forKey: id) else { continue }
                stream.yield(.finished(reason, timings))
                stream.finish()
            case .embed(let id, let embedding):
                guard case .embedding(let continuation) = listeners.removeValue(forKey: id) else { continue }
                continuation.resume(returning: .success(embedding))
            case .fail(let id, let error):
                fail([id], error)
            }
        }
    }

    private func fail(_ ids: [SequenceID], _ error: EngineError) {
        for id in ids { listeners.removeValue(forKey: id)?.fail(error) }
    }
}
