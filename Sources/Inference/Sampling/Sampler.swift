import CKernels
import Sharding

/// Chooses a token from logits, in the order that ``SamplingParameters`` documents.
///
/// The same logits, tokens, parameters, choice and position give the same token on every machine. Holds scratch memory
/// for one vocabulary; belongs to one thread.
package final class Sampler {
    let vocabularySize: Int
    /// Asked for once: the processor answers slowly in virtual machines. Safe to share: a table of C functions without
    /// state, never written.
    private nonisolated(unsafe) static let kernels = shard_kernels_best().pointee
    private var candidates: CandidateOrder
    private var adjusted: [Float]
    private var probabilities: [Float] = []
    /// How often each token was seen, `[vocabularySize]`; zeros between calls.
    private var seenCounts: [Int32]

    /// Of all scratch memory, for each token of the vocabulary: five numbers of 4 bytes and two keys of 8.
    static let bytesPerToken = 5 * 4 + 2 * 8

    package init(vocabularySize: Int) {
        self.vocabularySize = vocabularySize
        adjusted = Array(repeating: 0, count: vocabularySize)
        seenCounts = Array(repeating: 0, count: vocabularySize)
        candidates = CandidateOrder(capacity: vocabularySize)
    }

    static func areFinite(_ logits: UnsafeMutableBufferPointer<Float>) -> Bool {
        guard let base = logits.baseAddress else { return true }
        return kernels.all_finite(base, logits.count)
    }

    /// The token that follows `position`.
    ///
    /// - Parameters:
    ///   - logits: `[vocabularySize]`, finite; left as they are.
    ///   - mask: allowed tokens, a bit each; nil allows all.
    func sample(
        _ logits: UnsafeMutableBufferPointer<Float>, for sequence: SequenceSampling, position: Int, mask: [UInt64]?
    ) throws(InferenceError) -> AcceptedToken {
        let parameters = sequence.parameters
        try parameters.check()
        adjusted.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: logits) }
        let seen = sequence.tokens.prefix(position + 1)
        adjust(by: parameters, seen: seen, promptCount: sequence.promptCount)
        if let mask { try apply(mask) }
        let token = try choose(
            parameters,
            random: CounterRandom.uniform(seed: parameters.seed, choice: sequence.choice, position: position + 1))
        let normalizer = logNormalizer(logits)
        return AcceptedToken(
            token: TokenID(token), logprob: logits[token] - normalizer,
            top: top(parameters.topLogprobCount, of: logits, normalizer: normalizer))
    }

    // MARK: Adjusting

    private func adjust(by parameters: SamplingParameters, seen: ArraySlice<TokenID>, promptCount: Int) {
        if parameters.repetitionPenalty != 1 {
            forEachToken(of: seen) { token, _ in
                let value = adjusted[token]
                adjusted[token] =
                    value > 0 ? value / parameters.repetitionPenalty : value * parameters.repetitionPenalty
            }
        }
        if parameters.presencePenalty != 0 || parameters.frequencyPenalty != 0 {
            forEachToken(of: seen.dropFirst(promptCount)) { token, count in
                adjusted[token] =
                    adjusted[token] - parameters.presencePenalty - Float(count) * parameters.frequencyPenalty
            }
        }
        for bias in parameters.logitBias where adjusted.indices.contains(Int(bias.token)) {
            adjusted[Int(bias.token)] += bias.bias
        }
    }

    /// Calls `body` once for each token of the vocabulary in `tokens`, with how often it is there.
    private func forEachToken(of tokens: ArraySlice<TokenID>, _ body: (Int, Int32) -> Void) {
        for token in tokens where seenCounts.indices.contains(Int(token)) { seenCounts[Int(token)] += 1 }
        for token in tokens where seenCounts.indices.contains(Int(token)) && seenCounts[Int(token)] > 0 {
            body(Int(token), seenCounts[Int(token)])
            seenCounts[Int(token)] = 0
        }
    }

    private func apply(_ mask: [UInt64]) throws(InferenceError) {
        guard mask.count == (vocabularySize + 63) / 64 else {
            throw InferenceError(
                .invalidStep, place: "token mask",
                "expected \((vocabularySize + 63) / 64) words, got \(mask.count)")
        }
        for token in 0..<vocabularySize where mask[token / 64] >> UInt64(token % 64) & 1 == 0 {
            adjusted[token] = -.infinity
        }
    }

    // MARK: Choosing

    private func choose(_ parameters: SamplingParameters, random: Float) throws(InferenceError) -> Int {
        let best = Self.kernels.argmax(adjusted, vocabularySize)
        guard adjusted[best] > -.infinity else {
            throw InferenceError(.invalidStep, place: "token mask", "expected at least one allowed token, found none")
        }
        if parameters.temperature == 0 { return best }
        let limit = parameters.topK > 0 ? min(parameters.topK, vocabularySize) : vocabularySize
        let order = candidates.best(limit, of: adjusted)
        probabilities.removeAll(keepingCapacity: true)
        let highest = adjusted[best]
        for token in order { probabilities.append((adjusted[Int(token)] - highest) / parameters.temperature) }
        probabilities.withUnsafeMutableBufferPointer { values in
            if let base = values.baseAddress { Self.kernels.exp(base, values.count, base) }
        }
        var kept = probabilities.count
        if parameters.topP < 1 {
            let wanted = parameters.topP * probabilities.reduce(0, +)
            var sum: Float = 0
            kept = 0
            while kept < probabilities.count {
                sum += probabilities[kept]
                kept += 1
                if sum >= wanted { break }
            }
        }
        // The best has probability 1 before normalising, so a share of it is a plain comparison.
        while kept > 1, probabilities[kept - 1] < parameters.minP || probabilities[kept - 1] == 0 { kept -= 1 }
        let target = random * probabilities[..<kept].reduce(0, +)
        var sum: Float = 0
        for index in 0..<kept {
            sum += probabilities[index]
            if sum > target { return Int(order[index]) }
        }
        return Int(order[kept - 1])
    }

    // MARK: Probabilities under the unmodified logits

    /// log Σ exp(logit): the sum in double, as 16 partial sums by id mod 16 that are added in order.
    private func logNormalizer(_ logits: UnsafeMutableBufferPointer<Float>) -> Float {
        guard let base = logits.baseAddress else { return 0 }
        let highest = logits[Self.kernels.argmax(base, logits.count)]
        var partials = SIMD16<Double>()
        adjusted.withUnsafeMutableBufferPointer { values in
            guard let base = values.baseAddress else { return }
            for index in values.indices { values[index] = logits[index] - highest }
            Self.kernels.exp(base, values.count, base)
            let wholeEnd = values.count / 16 * 16
            let bytes = UnsafeRawPointer(base)
            for index in stride(from: 0, to: wholeEnd, by: 16) {
                partials += SIMD16<Double>(bytes.loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self))
            }
            for index in wholeEnd..<values.count { partials[index - wholeEnd] += Double(values[index]) }
        }
        return highest + shard_log(Float(partials.indices.reduce(0.0) { $0 + partials[$1] }))
    }

    private func top(
        _ count: Int, of logits: UnsafeMutableBufferPointer<Float>, normalizer: Float
    ) -> [TokenLogprob] {
        guard count > 0 else { return [] }
        adjusted.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: logits) }
        return candidates.best(min(count, vocabularySize), of: adjusted).map {
            TokenLogprob(token: $0, logprob: logits[Int($0)] - normalizer)
        }
    }
}

extension SamplingParameters {
    /// Refuses numbers that no distribution has.
    package func check() throws(InferenceError) {
        func require(_ isFine: Bool, _ name: String, _ expected: String, _ value: Float) throws(InferenceError) {
            guard isFine else {
                throw InferenceError(.invalidOption, place: name, "expected \(expected), got \(value)")
            }
        }
        try require(temperature >= 0 && temperature.isFinite, "temperature", "a finite number from 0", temperature)
        try require(topK >= 0, "top_k", "a number from 0", Float(topK))
        try require(topP > 0 && topP <= 1, "top_p", "a number above 0 and up to 1", topP)
        try require(minP >= 0 && minP <= 1, "min_p", "a number from 0 to 1", minP)
        try require(
            Self.repetitionPenaltyRange.contains(repetitionPenalty), "repetition_penalty", "a number from 0.01 to 100",
            repetitionPenalty)
        try require(presencePenalty.isFinite, "presence_penalty", "a finite number", presencePenalty)
        try require(frequencyPenalty.isFinite, "frequency_penalty", "a finite number", frequencyPenalty)
        try require(topLogprobCount >= 0, "top_logprobs", "a number from 0", Float(topLogprobCount))
        for bias in logitBias where bias.bias.isNaN || bias.bias == .infinity {
            throw InferenceError(
                .invalidOption, place: "logit_bias", "expected a finite number or −∞ for token \(bias.token)")
        }
    }
}
