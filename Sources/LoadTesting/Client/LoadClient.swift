import AsyncHTTPClient
import Foundation
import ModelFiles
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a server, over as many connections as there are requests at once.
package final class LoadClient: Sendable {
    /// How one request went. Times count from the start of the run.
    package struct Outcome: Sendable {
        package var begun: Duration
        /// When it was written to its connection; nil: it never was.
        package var sent: Duration?
        package var ended: Duration
        package var result: Result<LoadAnswer, LoadFailure>

        package init(begun: Duration, sent: Duration?, ended: Duration, result: Result<LoadAnswer, LoadFailure>) {
            self.begun = begun
            self.sent = sent
            self.ended = ended
            self.result = result
        }
    }

    private static let connectTimeout: TimeAmount = .seconds(10)
    /// Shorter than what servers allow, so that none is used that the server is about to close.
    private static let idleTimeout: TimeAmount = .seconds(3)
    private static let listBytesMax = 4 << 20

    private let target: LoadTarget
    private let client: HTTPClient
    private let now: @Sendable () -> Duration

    /// - Parameters:
    ///   - connectionsMax: requests that are asked at once, at most.
    ///   - now: the time since the run's start.
    package init(_ target: LoadTarget, connectionsMax: Int, now: @escaping @Sendable () -> Duration) {
        self.target = target
        self.now = now
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: Self.connectTimeout),
            connectionPool: .init(
                idleTimeout: Self.idleTimeout, concurrentHTTP1ConnectionsPerHostSoftLimit: connectionsMax))
        configuration.httpVersion = .http1Only
        // A server that is not there is a result, not a reason to wait.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async throws { try await client.shutdown() }

    private var headers: HTTPHeaders {
        var headers: HTTPHeaders = ["User-Agent": "shard-bench"]
        if let key = target.key { headers.add(name: "Authorization", value: "Bearer \(key.value)") }
        return headers
    }

    /// Asks and reads the whole answer.
    package func ask(_ request: LoadRequest, as shape: RequestShape) async -> Outcome {
        var headers = headers
        headers.add(name: "Content-Type", value: "application/json")
        headers.add(name: "Accept", value: "text/event-stream")
        let body = shape.body(of: request)
        let delegate = StreamDelegate(now: now)
        let begun = now()
        let result: Result<LoadAnswer, LoadFailure>
        do {
            let request = try HTTPClient.Request(
                url: target.url + shape.path, method: .POST, headers: headers, body: .data(body))
            let task = client.execute(
                request: request, delegate: delegate, deadline: .now() + TimeAmount(target.timeout))
            let answer = try await withTaskCancellationHandler {
                try await task.get()
            } onCancel: {
                task.cancel()
            }
            result = .success(answer)
        } catch {
            result = .failure(failure(error, delegate))
        }
        return Outcome(begun: begun, sent: delegate.sent, ended: now(), result: result)
    }

    private func failure(_ error: any Error, _ delegate: StreamDelegate) -> LoadFailure {
        if let failure = error as? LoadFailure { return failure }
        switch error as? HTTPClientError {
        case .deadlineExceeded?, .readTimeout?:
            return LoadFailure(.timeout, "expected the end of an answer within \(target.timeout), got none")
        case .connectTimeout?, .getConnectionFromPoolTimeout?:
            return LoadFailure(.timeout, "\(target.url): expected a connection, got none in time")
        default: break
        }
        guard delegate.hasBegun else { return LoadFailure(.connection, "\(target.url): \(Self.reason(error))") }
        return LoadFailure(
            .broken, "stream: expected [DONE] at its end, got its connection closed after \(delegate.pieceCount) pieces"
        )
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) } ?? "its name is unknown"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "closed without an answer"
        default: "\(error)"
        }
    }

    /// Names of the models that the server says it has.
    package func models() async throws(LoadFailure) -> [String] {
        let place = "\(target.url)/v1/models"
        let body: ByteBuffer
        do {
            var request = HTTPClientRequest(url: place)
            request.headers = headers
            let response = try await client.execute(request, timeout: TimeAmount(target.timeout))
            body = try await response.body.collect(upTo: Self.listBytesMax)
            guard response.status == .ok else {
                throw LoadFailure(
                    .status(Int(response.status.code)), "\(place): expected a list of models; give --model")
            }
        } catch let error as LoadFailure {
            throw error
        } catch {
            throw LoadFailure(.connection, "\(place): \(Self.reason(error))")
        }
        let value: JSONValue?
        do {
            value = try body.withUnsafeReadableBytes { try JSONValue(parsing: $0, file: place) }
        } catch {
            throw LoadFailure(.malformed, "\(error)")
        }
        return (value?["data"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
