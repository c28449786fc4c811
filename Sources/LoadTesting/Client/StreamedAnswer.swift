import ModelFiles

/// Makes an answer out of the events of a stream, with the times at which they came.
struct StreamedAnswer {
    static let textBytesMax = 64 << 20

    private var events = EventReader()
    private var answer = LoadAnswer(pieces: [], text: "", finishReason: nil, usage: nil)
    private var isDone = false

    /// - Parameter now: when these bytes came.
    mutating func receive(_ bytes: UnsafeRawBufferPointer, at now: Duration) throws(LoadFailure) {
        for event in try events.read(bytes) {
            guard !isDone else { throw LoadFailure(.malformed, "stream: expected nothing after [DONE], got an event") }
            if event.elementsEqual("[DONE]".utf8) {
                isDone = true
            } else {
                try take(event, at: now)
            }
        }
    }

    /// The answer, once the server has closed the stream.
    func finish() throws(LoadFailure) -> LoadAnswer {
        guard isDone else {
            throw LoadFailure(
                .broken, "stream: expected [DONE] at its end, got none after \(answer.pieces.count) pieces")
        }
        return answer
    }

    var pieceCount: Int { answer.pieces.count }

    private mutating func take(_ event: [UInt8], at now: Duration) throws(LoadFailure) {
        let value = try Self.parse(event)
        if let error = value["error"], !error.isNull {
            throw LoadFailure(.errorEvent, ServerError.message(value) ?? "event: an error without a message")
        }
        if let usage = value["usage"], !usage.isNull { answer.usage = try Self.usage(usage) }
        guard let choices = value["choices"]?.arrayValue else {
            throw LoadFailure(.malformed, "event: expected choices, got \(value.summary)")
        }
        for choice in choices {
            if let reason = choice["finish_reason"]?.stringValue { answer.finishReason = reason }
            let delta = choice["delta"]
            // Some servers stream what a model thinks beside what it says; both are its tokens.
            let texts = [delta?["reasoning_content"], delta?["content"], choice["text"]].compactMap { $0?.stringValue }
            let text = texts.joined()
            guard !text.isEmpty else { continue }
            answer.text += text
            answer.pieces.append(now)
        }
        guard answer.text.utf8.count <= Self.textBytesMax else {
            throw LoadFailure(.tooLarge, "text: expected at most \(Self.textBytesMax) bytes, got more")
        }
    }

    private static func parse(_ event: [UInt8]) throws(LoadFailure) -> JSONValue {
        do {
            return try event.withUnsafeBytes { try JSONValue(parsing: $0, file: "event") }
        } catch {
            throw LoadFailure(.malformed, "\(error)")
        }
    }

    private static func usage(_ value: JSONValue) throws(LoadFailure) -> LoadAnswer.Usage {
        let counts = [
            value["prompt_tokens"], value["completion_tokens"],
            value["prompt_tokens_details"]?["cached_tokens"] ?? .integer(0),
        ].map { $0?.isNull == true ? 0 : $0?.integerValue ?? -1 }
        guard counts.allSatisfy({ (0...TokenCounts.tokensMax * 64).contains($0) }) else {
            throw LoadFailure(.malformed, "usage: expected counts of tokens, got \(value.summary)")
        }
        return LoadAnswer.Usage(promptTokens: counts[0], cachedTokens: counts[2], generatedTokens: counts[1])
    }
}

/// What a server says of an error.
enum ServerError {
    private static let messageLengthMax = 300

    /// The message of `{"error": {"message": …}}`, `{"error": "…"}` or `{"message": …}`; nil without one.
    static func message(_ value: JSONValue) -> String? {
        let error = value["error"]
        guard let text = error?["message"]?.stringValue ?? error?.stringValue ?? value["message"]?.stringValue else {
            return nil
        }
        return shortened(text)
    }

    static func shortened(_ text: String) -> String {
        text.count <= messageLengthMax ? text : "\(text.prefix(messageLengthMax))…"
    }
}
