import AsyncHTTPClient
import Foundation
import ModelFiles
import NIOCore
import NIOHTTP1
import Synchronization

/// Reads one answer on the connection's own event loop, so that times are those at which bytes come, not those at which a task
/// gets its turn.
final class StreamDelegate: HTTPClientResponseDelegate {
    typealias Response = LoadAnswer

    private static let errorBytesMax = 64 << 10

    private struct State {
        var sent: Duration?
        var status: Int?
        var retryAfter: Duration?
        var answer = StreamedAnswer()
        /// Of a status other than 200.
        var errorBody: [UInt8] = []
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> Duration

    /// - Parameter now: the time since the run's start.
    init(now: @escaping @Sendable () -> Duration) { self.now = now }

    /// When the request was written to its connection; nil: it was not.
    var sent: Duration? { state.withLock(\.sent) }
    /// Whether a head with status 200 came.
    var hasBegun: Bool { state.withLock { $0.status == 200 } }
    var pieceCount: Int { state.withLock { $0.answer.pieceCount } }

    func didSendRequest(task: HTTPClient.Task<LoadAnswer>) {
        let now = now()
        state.withLock { $0.sent = now }
    }

    func didReceiveHead(task: HTTPClient.Task<LoadAnswer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        let status = Int(head.status.code)
        state.withLock {
            $0.status = status
            $0.retryAfter = Self.retryAfter(head.headers.first(name: "Retry-After"))
        }
        let type = head.headers.first(name: "Content-Type") ?? "none"
        if status == 200, !type.lowercased().hasPrefix("text/event-stream") {
            return task.eventLoop.makeFailedFuture(
                LoadFailure(
                    .malformed,
                    "Content-Type: expected text/event-stream, got \(ServerError.shortened(type)); does it stream?"))
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<LoadAnswer>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let now = now()
        let failure: LoadFailure? = buffer.withUnsafeReadableBytes { bytes in
            state.withLock { state in
                guard state.status == 200 else {
                    state.errorBody += bytes.prefix(Self.errorBytesMax - state.errorBody.count)
                    return nil
                }
                do throws(LoadFailure) {
                    try state.answer.receive(bytes, at: now)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { return task.eventLoop.makeFailedFuture(failure) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<LoadAnswer>) throws -> LoadAnswer {
        let state = state.withLock { $0 }
        switch state.status {
        case 200: return try state.answer.finish()
        case let status?:
            throw LoadFailure(
                status == 429 || status == 503 ? .refused(status) : .status(status), Self.message(state.errorBody),
                retryAfter: state.retryAfter)
        case nil: throw LoadFailure(.connection, "expected an answer, got none")
        }
    }

    private static func message(_ body: [UInt8]) -> String {
        let value = try? body.withUnsafeBytes { try JSONValue(parsing: $0, file: "error") }
        if let message = value.flatMap(ServerError.message) { return message }
        let text = String(decoding: body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? "without a body" : ServerError.shortened(text)
    }

    /// Seconds; the other form, a date, is not used by servers of models.
    private static func retryAfter(_ text: String?) -> Duration? {
        guard let text, let seconds = Int(text), (0...86_400).contains(seconds) else { return nil }
        return .seconds(seconds)
    }
}
