import CPCRE2

/// A compiled regular expression over UTF-8, bounded in what it may cost.
///
/// Written for patterns that come with a model: Oniguruma's syntax as tokenizer.json uses it. `\s` and `\w` are
/// rewritten to Unicode's definitions, which PCRE2 10.42 departs from.
final class Pattern: Sendable {
    static let patternBytesMax = 1 << 16
    /// Backtracking steps of one match; a text of this many blanks is still split.
    static let matchStepsMax: UInt32 = 20_000_000
    static let heapKibibytesMax: UInt32 = 64 << 10
    static let textTimeMax: Duration = .seconds(2)

    // Immutable after compilation; PCRE2 documents compiled patterns as safe to share between threads.
    nonisolated(unsafe) private let code: OpaquePointer
    private let place: String

    /// - Parameter place: names the pattern's origin in errors.
    init(_ pattern: String, place: String) throws(TokenizerError) {
        guard pattern.utf8.count <= Self.patternBytesMax else {
            throw TokenizerError(
                .limit, place, "pattern of \(pattern.utf8.count) bytes, at most \(Self.patternBytesMax)")
        }
        self.place = place
        let translated = Array(PatternTranslation.translate(pattern).utf8)
        var errorCode: Int32 = 0
        var errorOffset = 0
        let options = UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | UInt32(PCRE2_NEVER_BACKSLASH_C)
        guard let code = pcre2_compile_8(translated, translated.count, options, &errorCode, &errorOffset, nil) else {
            throw TokenizerError(
                .unsupported, place,
                "pattern \(TokenizerError.quoted(pattern)) is no regular expression: \(Self.message(errorCode))")
        }
        // Without JIT (a hardened kernel, an architecture that lacks it) the interpreter gives the same matches.
        _ = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        self.code = code
    }

    deinit { pcre2_code_free_8(code) }

    /// Finds all matches, left to right, in `text` (valid UTF-8); empty ones are left out.
    func matches(in text: UnsafeBufferPointer<UInt8>) throws(TokenizerError) -> [Range<Int>] {
        guard let base = text.baseAddress, !text.isEmpty else { return [] }
        let matchContext = pcre2_match_context_create_8(nil)
        let matchData = pcre2_match_data_create_from_pattern_8(code, nil)
        defer {
            pcre2_match_data_free_8(matchData)
            pcre2_match_context_free_8(matchContext)
        }
        guard let matchContext, let matchData, let offsets = pcre2_get_ovector_pointer_8(matchData) else {
            throw TokenizerError(.limit, place, "no memory to match a text of \(text.count) bytes")
        }
        pcre2_set_match_limit_8(matchContext, Self.matchStepsMax)
        pcre2_set_depth_limit_8(matchContext, Self.matchStepsMax)
        pcre2_set_heap_limit_8(matchContext, Self.heapKibibytesMax)

        let clock = ContinuousClock()
        let deadline = clock.now + Self.textTimeMax + .microseconds(text.count)
        var found: [Range<Int>] = []
        var start = 0
        var rounds = 0
        while start < text.count {
            let result = pcre2_match_8(
                code, base, text.count, start, UInt32(PCRE2_NO_UTF_CHECK), matchData, matchContext)
            if result == PCRE2_ERROR_NOMATCH { break }
            guard result >= 0 else {
                throw TokenizerError(.limit, place, "matching stopped at byte \(start): \(Self.message(result))")
            }
            let match = Int(offsets[0])..<max(Int(offsets[0]), Int(offsets[1]))
            if match.isEmpty {
                start = Self.next(after: match.lowerBound, in: text)
            } else {
                found.append(match)
                start = match.upperBound
            }
            rounds += 1
            if rounds % 256 == 0, clock.now > deadline {
                throw TokenizerError(.limit, place, "matching \(text.count) bytes took longer than \(Self.textTimeMax)")
            }
        }
        return found
    }

    private static func next(after place: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var next = place + 1
        while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
        return next
    }

    private static func message(_ code: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = pcre2_get_error_message_8(code, &buffer, buffer.count)
        return length > 0 ? String(decoding: buffer[..<Int(length)], as: UTF8.self) : "error \(code)"
    }
}
