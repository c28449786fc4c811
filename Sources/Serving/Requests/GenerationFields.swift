import ModelFiles
import Sharding

/// What both completion requests say about how to generate.
struct GenerationFields: Sendable, Hashable {
    var model: String?
    var maxTokens: Int?
    var choiceCount: Int
    var sampling: SamplingParameters
    var stops: [String]
    var ignoresEnd: Bool
    var isStream: Bool
    /// A last chunk with the token counts follows the stream's text.
    var includesUsage: Bool
    /// Whether token probabilities are reported; how many alternatives is in `sampling.topLogprobCount`.
    var reportsLogprobs: Bool
}

extension GenerationFields {
    static let known = [
        "model", "n", "max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty",
        "presence_penalty", "frequency_penalty", "seed", "logit_bias", "stop", "ignore_eos", "stream",
        "stream_options", "logprobs",
    ]
    /// Fields about the caller and its account, which cannot change an answer; taken and not used.
    static let withoutEffect = [
        "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    ]

    /// - Parameters:
    ///   - defaults: what the model's generation config says.
    ///   - seed: what keys the random numbers when the request brings no seed.
    ///   - tokensMin: 0 where an answer without a token makes sense.
    init(
        _ reader: FieldReader, defaults: SamplingParameters, vocabularySize: Int, seed: UInt64, tokensMin: Int = 1
    ) throws(ServingError) {
        model = try reader.string("model")
        maxTokens = try reader.integer("max_tokens", in: tokensMin...Int(Int32.max))
        choiceCount = try reader.integer("n", in: 1...FieldLimits.choicesMax) ?? 1
        stops = try Self.stops(reader)
        ignoresEnd = try reader.bool("ignore_eos") ?? false
        isStream = try reader.bool("stream") ?? false
        includesUsage = try Self.includesUsage(reader, isStream: isStream)
        reportsLogprobs = false

        var sampling = defaults
        sampling.temperature = try reader.number("temperature", in: 0...2) ?? defaults.temperature
        sampling.topP = try reader.number("top_p", in: 0...1) ?? defaults.topP
        sampling.topK = try reader.integer("top_k", in: 0...Int(Int32.max)) ?? defaults.topK
        sampling.minP = try reader.number("min_p", in: 0...1) ?? defaults.minP
        sampling.repetitionPenalty =
            try reader.number("repetition_penalty", in: 0.01...100) ?? defaults.repetitionPenalty
        sampling.presencePenalty = try reader.number("presence_penalty", in: -2...2) ?? defaults.presencePenalty
        sampling.frequencyPenalty = try reader.number("frequency_penalty", in: -2...2) ?? defaults.frequencyPenalty
        sampling.seed = try reader.integer("seed", in: 0...FieldLimits.integerMax).map { UInt64($0) } ?? seed
        sampling.logitBias = try Self.logitBias(reader, vocabularySize: vocabularySize) ?? defaults.logitBias
        sampling.topLogprobCount = 0
        self.sampling = sampling
    }

    private static func stops(_ reader: FieldReader) throws(ServingError) -> [String] {
        let path = reader.path("stop")
        let values: [JSONValue]
        switch reader["stop"] {
        case nil: return []
        case .string(let stop): values = [.string(stop)]
        case .array(let array): values = array
        case let value?: throw .expected("a string or an array of strings", got: value.kind, path)
        }
        guard values.count <= FieldLimits.stopStringsMax else {
            throw .expected("at most \(FieldLimits.stopStringsMax) strings", got: "\(values.count)", path)
        }
        var stops: [String] = []
        for (index, value) in values.enumerated() {
            guard case .string(let stop) = value else {
                throw .expected("a string", got: value.kind, "\(path)[\(index)]")
            }
            guard (1...FieldLimits.stopStringBytesMax).contains(stop.utf8.count) else {
                throw .expected(
                    "1 to \(FieldLimits.stopStringBytesMax) bytes", got: "\(stop.utf8.count)", "\(path)[\(index)]")
            }
            stops.append(stop)
        }
        return stops
    }

    private static func includesUsage(_ reader: FieldReader, isStream: Bool) throws(ServingError) -> Bool {
        guard let value = reader["stream_options"] else { return false }
        let options = try FieldReader(value, at: reader.path("stream_options"))
        try options.refuseUnknown(known: ["include_usage", "include_obfuscation"])
        guard isStream else {
            throw ServingError(.invalidValue, reader.path("stream_options"), "only together with \"stream\": true")
        }
        return try options.bool("include_usage") ?? false
    }

    private static func logitBias(
        _ reader: FieldReader, vocabularySize: Int
    ) throws(ServingError) -> [TokenLogitBias]? {
        guard let value = reader["logit_bias"] else { return nil }
        let fields = try FieldReader(value, at: reader.path("logit_bias"))
        guard fields.fields.count <= FieldLimits.logitBiasMax else {
            throw .expected("at most \(FieldLimits.logitBiasMax) tokens", got: "\(fields.fields.count)", "logit_bias")
        }
        var biases: [TokenLogitBias] = []
        for (key, value) in zip(fields.fields.keys, fields.fields.values) {
            guard let token = TokenID(key), key == "\(token)", (0..<vocabularySize).contains(Int(token)) else {
                throw .expected("token ids from 0 to \(vocabularySize - 1) as keys", got: "another key", "logit_bias")
            }
            let bias = try FieldReader.number(value, in: -100...100, "logit_bias.\(key)")
            biases.append(TokenLogitBias(token: token, bias: bias))
        }
        return biases.sorted { $0.token < $1.token }
    }

    /// Refuses fields that are known and not there yet, by name, unless they hold what means "nothing".
    static func refuseNotYet(
        _ reader: FieldReader, _ fields: [(name: String, harmless: [JSONValue])]
    ) throws(ServingError) {
        for (name, harmless) in fields {
            guard let value = reader[name], !harmless.contains(value) else { continue }
            throw ServingError(.notYet, reader.path(name), "not supported yet; leave it out")
        }
    }
}
