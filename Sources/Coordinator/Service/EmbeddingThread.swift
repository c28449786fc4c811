import Inference
import Links
import Sharding
import Threads
import ZeroMQ

/// Looks steps' embeddings up and hands them to the sockets.
///
/// A row of the mapped file may have to come from the disk first: that must hold up neither a heartbeat nor the
/// concurrency runtime, so it happens on a thread of its own.
final class EmbeddingThread: Sendable {
    /// More than steps are ever in flight.
    private static let stepsMax = 256

    private enum Command: Sendable {
        case step(Step, Epoch)
        case stop
    }

    private let mailbox: Mailbox<Command>
    private let thread: OwnedThread

    /// - Parameter failed: called on the thread for a step that could not be made.
    init(
        table: EmbeddingTable, run: RunID, sockets: SocketThread,
        failed: @escaping @Sendable (UInt64, Epoch, String) -> Void
    ) throws(ZeroMQError) {
        let wakeup = try Wakeup()
        // Only to wait with: it has no sockets.
        let context = try Context()
        let mailbox = Mailbox<Command>(capacity: Self.stepsMax, wakeup: wakeup)
        self.mailbox = mailbox
        thread = OwnedThread(name: "embedding") {
            let loop = SocketLoop(context: context, wakeup: wakeup)
            var nextEcho = ContinuousClock.now
            while true {
                do { try loop.wait(until: .now + .seconds(60)) } catch { return }
                for command in mailbox.takeAll() {
                    guard case .step(let step, let epoch) = command else { return }
                    let wantsEcho = ContinuousClock.now >= nextEcho
                    if wantsEcho { nextEcho = .now + LinkMeter.sampleInterval }
                    do {
                        try Self.send(step, epoch, wantsEcho, table: table, run: run, sockets: sockets)
                    } catch {
                        failed(step.id, epoch, "\(error)")
                    }
                }
            }
        }
    }

    func post(_ step: Step, _ epoch: Epoch) -> Bool {
        do {
            try mailbox.post(.step(step, epoch))
            return true
        } catch {
            return false
        }
    }

    /// Not on the cooperative pool.
    func stopAndJoin() {
        try? mailbox.post(.stop)
        thread.join()
    }

    private static func send(
        _ step: Step, _ epoch: Epoch, _ wantsEcho: Bool, table: EmbeddingTable, run: RunID, sockets: SocketThread
    ) throws {
        let message = StepMessage(
            run: run, epoch: epoch, stage: 0, width: table.hiddenSize, step: step, wantsEcho: wantsEcho)
        var hidden: HiddenStates?
        if !step.rows.isEmpty {
            hidden = try HiddenStates(count: step.rows.count * table.hiddenSize) { (floats) throws(InferenceError) in
                try table.decode(step.rows, into: floats)
            }
        }
        let frame = try message.frame(payload: hidden?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        try sockets.post(
            .step(
                SocketThread.StepFrame(
                    id: step.id, epoch: epoch, frame: frame, hidden: hidden, wantsEcho: wantsEcho)))
    }
}
