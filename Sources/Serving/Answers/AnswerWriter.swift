import Hummingbird
import NIOCore
import Sharding

/// Turns a running generation into an HTTP response: one JSON object, or a stream of server-sent events.
enum AnswerWriter {
    // MARK: Whole

    static func whole(
        _ generation: Generation, _ answer: consuming Answer<some AnswerFormat>, choiceCount: Int
    ) async throws(ServingError) -> Response {
        var pieces = [TextPiece](repeating: TextPiece(), count: choiceCount)
        for await event in generation.events {
            switch event {
            case .text(let choice, let piece): pieces[choice] += piece
            case .finished(let choice, let ending): answer.finish(choice, ending)
            case .pause: break
            case .failed(let error): throw error
            }
        }
        guard answer.isComplete else { throw ServingError(.cancelled, nil, "the client has gone") }
        return try .json(answer.whole(pieces))
    }

    // MARK: Stream

    /// Waits for the first event, so that what fails before it is an HTTP error and not a broken stream; a pause
    /// ends the wait.
    static func stream(
        _ generation: Generation, _ answer: Answer<some AnswerFormat>, choiceCount: Int,
        whenDone: @escaping @Sendable () -> Void
    ) async throws(ServingError) -> Response {
        var first: Generation.Event?
        for await event in generation.events {
            first = event
            break
        }
        guard let first else { throw ServingError(.cancelled, nil, "the client has gone") }
        if case .failed(let error) = first { throw error }
        let body = ResponseBody { writer in
            defer { whenDone() }
            var events = EventWriter(writer: writer)
            do throws(ServingError) {
                try await write(first, generation, answer, choiceCount: choiceCount, to: &events)
            } catch {
                try await events.finish(with: error)
                // The connection is of no more use: a reader that misses the error event sees it break.
                throw error
            }
            try await events.finish()
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"], body: body)
    }

    private static func write<Format: AnswerFormat>(
        _ first: Generation.Event, _ generation: Generation, _ answer: Answer<Format>, choiceCount: Int,
        to events: inout EventWriter
    ) async throws(ServingError) {
        var answer = answer
        for index in 0..<choiceCount {
            if let opening = answer.format.opening(index) { try await events.send(answer.chunk(opening)) }
        }
        try await write(first, &answer, to: &events)
        for await event in generation.events { try await write(event, &answer, to: &events) }
        guard answer.isComplete else { throw ServingError(.cancelled, nil, "the request was cancelled") }
        if let usage = answer.usageChunk { try await events.send(usage) }
    }

    private static func write(
        _ event: Generation.Event, _ answer: inout Answer<some AnswerFormat>, to events: inout EventWriter
    ) async throws(ServingError) {
        switch event {
        case .text(let choice, let piece):
            let chunk = answer.format.chunk(choice, piece)
            try await events.send(answer.chunk(chunk))
        case .finished(let choice, let ending):
            answer.finish(choice, ending)
            try await events.send(answer.ending(choice, ending.reason))
        case .pause: try await events.keepAlive()
        case .failed(let error): throw error
        }
    }
}

/// Writes server-sent events (HTML Living Standard, section 9.2) to a response's body.
private struct EventWriter {
    private var writer: any ResponseBodyWriter

    init(writer: any ResponseBodyWriter) { self.writer = writer }

    mutating func send(_ body: some Encodable) async throws(ServingError) {
        var event = ByteBuffer(string: "data: ")
        event.writeBytes(try BodyEncoder.encode(body))
        event.writeString("\n\n")
        try await write(event)
    }

    /// A comment, which readers skip.
    mutating func keepAlive() async throws(ServingError) {
        try await write(ByteBuffer(string: ": waiting\n\n"))
    }

    mutating func finish() async throws {
        try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
        try await writer.finish(nil)
    }

    mutating func finish(with error: ServingError) async throws {
        guard error.code != .cancelled else { return }
        try await send(ErrorBody(error))
        try await writer.finish(nil)
    }

    private mutating func write(_ buffer: ByteBuffer) async throws(ServingError) {
        do {
            try await writer.write(buffer)
        } catch {
            throw ServingError(.cancelled, nil, "the client has gone")
        }
    }
}

extension Response {
    static func json(_ body: some Encodable, status: HTTPResponse.Status = .ok) throws(ServingError) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try BodyEncoder.encode(body))))
    }
}
