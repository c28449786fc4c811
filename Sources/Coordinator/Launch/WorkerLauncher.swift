import Foundation
import Logging
import Sharding
import Subprocess
import Synchronization

/// Runs worker processes, or the ssh sessions that run them elsewhere: starts them, passes their log lines on under
/// their names, ends them.
///
/// Their standard input is a pipe from here, through which their keys come where they have any. When this process
/// ends, however it ends, the pipe closes, and a worker of this machine leaves too.
package final class WorkerLauncher: WorkerProcesses {
    package struct Program: Sendable {
        package var worker: String
        /// A path, or the name of a program in PATH.
        package var path: String
        package var arguments: [String]
        /// What it reads first.
        package var input: String?
        /// Whether it is an ssh session, which runs the worker elsewhere.
        package var isRemote = false
    }

    private struct State: Sendable {
        var tasks: [String: Task<Void, Never>] = [:]
        var processIDs: [String: pid_t] = [:]
        var isStopping = false
    }

    package let exits: AsyncStream<WorkerExit>
    private let exited: AsyncStream<WorkerExit>.Continuation
    private let programs: [String: Program]
    private let order: [String]
    private let stopWithin: Duration
    /// Takes a worker's lines as they come: name, line.
    private let print: @Sendable (String, String) -> Void
    private let state = Mutex(State())

    /// - Parameter stopWithin: from the polite request to end to the end.
    package init(
        programs: [Program], stopWithin: Duration = .seconds(5),
        print: @escaping @Sendable (String, String) -> Void
    ) {
        self.programs = Dictionary(programs.map { ($0.worker, $0) }, uniquingKeysWith: { first, _ in first })
        order = programs.map(\.worker)
        self.stopWithin = stopWithin
        self.print = print
        (exits, exited) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1024))
    }

    package func startAll() {
        for worker in order { start(worker, after: .zero) }
    }

    package func start(_ worker: String, after wait: Duration) {
        guard let program = programs[worker] else { return }
        state.withLock { state in
            guard !state.isStopping else { return }
            let before = state.tasks[worker]
            state.tasks[worker] = Task {
                await before?.value
                if wait > .zero { try? await Task.sleep(for: wait) }
                guard !Task.isCancelled else { return }
                self.exited.yield(await self.run(program))
            }
        }
    }

    package func kill(_ worker: String) {
        state.withLock { state in
            if let id = state.processIDs[worker] { _ = Foundation.kill(id, SIGKILL) }
        }
    }

    package func stopAll() async {
        let tasks = state.withLock { state in
            state.isStopping = true
            return Array(state.tasks.values)
        }
        // Cancelling a task ends its process by the teardown below.
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        exited.finish()
    }

    /// Process ids by worker, of those that run.
    package var processIDs: [String: pid_t] { state.withLock { $0.processIDs } }

    /// Runs a process to its end, and says how it ended.
    private func run(_ program: Program) async -> WorkerExit {
        var platform = PlatformOptions()
        platform.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: stopWithin)]
        // A terminal's Ctrl-C is for the launcher, which then stops its workers in order.
        platform.processGroupID = 0
        do {
            let result = try await Subprocess.run(
                program.path.contains("/") ? .path(.init(program.path)) : .name(program.path),
                arguments: Arguments(program.arguments), platformOptions: platform,
                input: .inputWriter, output: .sequence, error: .sequence
            ) { execution in
                let id = execution.processIdentifier.value
                self.state.withLock { $0.processIDs[program.worker] = id }
                if let input = program.input {
                    // One that has ended already is told of below.
                    _ = try? await execution.standardInputWriter.write(input)
                }
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await self.pass(execution.standardOutput, of: program.worker) }
                    group.addTask { await self.pass(execution.standardError, of: program.worker) }
                }
                // Its output has ended, so it has, or will soon: its number may soon be another's.
                self.state.withLock { $0.processIDs[program.worker] = nil }
            }
            return Self.exit(of: program, result.terminationStatus)
        } catch {
            return WorkerExit(worker: program.worker, status: "could not run \(program.path): \(error)")
        }
    }

    private func pass(_ output: SubprocessOutputSequence, of worker: String) async {
        var lines = LineSplitter()
        do {
            // Read to the end whatever comes: a process whose pipe is full would stand still.
            for try await buffer in output {
                for line in buffer.withUnsafeBytes({ lines.split($0) }) { print(worker, line) }
            }
        } catch {
            print(worker, "its output can no longer be read: \(error)")
        }
        if let line = lines.rest() { print(worker, line) }
    }

    /// What a worker ends with when its configuration, or its arguments, are wrong.
    private static let finalStatuses: [TerminationStatus.Code] = [2, 64]

    private static func exit(of program: Program, _ status: TerminationStatus) -> WorkerExit {
        switch status {
        case .exited(let code) where program.isRemote && (126...127).contains(code):
            WorkerExit(
                worker: program.worker,
                status: "exit status \(code): \(WorkerProgram.name) does not run there; copy it with launch --install, "
                    + "or set the worker's program, and install libzmq5", isFinal: true)
        case .exited(let code):
            // 255 is ssh's own.
            WorkerExit(
                worker: program.worker, status: "exit status \(code)", isFinal: finalStatuses.contains(code),
                isSession: program.isRemote && code == 255)
        case .signaled(let signal):
            WorkerExit(worker: program.worker, status: "signal \(signal)", isSession: program.isRemote)
        }
    }
}
