extension WireStepHeader {
    init(_ message: StepMessage) {
        self.init()
        operations = message.step.operations.map(Operation.init)
        let rows = message.step.rows
        rowSequences = rows.map(\.sequence.rawValue)
        rowPositions = rows.map { UInt32(clamping: $0.position) }
        rowTokens = rows.map { UInt32(clamping: $0.token) }
        rowOutputs = rows.map { Output($0.output) }
        for (index, row) in rows.enumerated() {
            guard let words = row.tokenMask else { continue }
            masks.append(
                .with {
                    $0.row = UInt32(clamping: index)
                    $0.words = words
                })
        }
        stageNanoseconds = message.stageNanoseconds
        wireBytes = message.wireBytes
        wantsEcho = message.wantsEcho
    }

    func stepRows(count: Int, _ read: FieldReader) throws(WireError) -> [StepRow] {
        try read.equal(rowSequences.count, count, "row_sequences")
        try read.equal(rowPositions.count, count, "row_positions")
        try read.equal(rowTokens.count, count, "row_tokens")
        try read.equal(rowOutputs.count, count, "row_outputs")
        var rows: [StepRow] = []
        rows.reserveCapacity(count)
        for index in 0..<count {
            rows.append(
                StepRow(
                    sequence: SequenceID(rowSequences[index]),
                    position: try read.integer(
                        rowPositions[index], "row_positions", in: 0...(WireLimits.sequenceTokensMax - 1)),
                    token: try read.token(rowTokens[index], "row_tokens"),
                    output: try rowOutputs[index].value(read)))
        }
        for mask in masks {
            guard Int(mask.row) < count else {
                throw read.wrong("masks.row", expected: "below \(count)", got: mask.row)
            }
            rows[Int(mask.row)].tokenMask = mask.words
        }
        return rows
    }

    func sequenceOperations(_ read: FieldReader) throws(WireError) -> [SequenceOperation] {
        try read.count(operations.count, "operations", max: WireLimits.operationsMax)
        var values: [SequenceOperation] = []
        values.reserveCapacity(operations.count)
        for operation in operations { values.append(try operation.value(read)) }
        return values
    }
}

extension WireStepHeader.Output {
    init(_ output: RowOutput) {
        self =
            switch output {
            case .none: .none
            case .token: .token
            case .logits: .logits
            case .pooled: .pooled
            case .mean: .mean
            }
    }

    func value(_ read: FieldReader) throws(WireError) -> RowOutput {
        switch self {
        case .none: .none
        case .token: .token
        case .logits: .logits
        case .pooled: .pooled
        case .mean: .mean
        case .UNRECOGNIZED(let number): throw read.wrong("row_outputs", expected: "0 to 4", got: number)
        }
    }
}

extension WireStepHeader.Operation {
    init(_ operation: SequenceOperation) {
        self.init()
        switch operation {
        case .begin(let sequence, let start):
            begin.sequence = sequence.rawValue
            begin.tokens = start.tokens.map { UInt32(clamping: $0) }
            begin.sampling = WireStepHeader.Sampling(start.sampling)
            begin.choice = UInt32(clamping: start.choice)
            begin.samplerState.append(contentsOf: start.samplerState)
            if let prefix = start.prefix {
                begin.prefixSequence = prefix.sequence.rawValue
                begin.prefixLength = UInt32(clamping: prefix.length)
            }
        case .truncate(let sequence, let length):
            truncate.sequence = sequence.rawValue
            truncate.length = UInt32(clamping: length)
        case .free(let sequence): freeSequence = sequence.rawValue
        }
    }

    func value(_ read: FieldReader) throws(WireError) -> SequenceOperation {
        let lengths = 0...WireLimits.sequenceTokensMax
        switch kind {
        case .begin(let begin):
            try read.count(begin.tokens.count, "begin.tokens", max: WireLimits.sequenceTokensMax)
            var tokens: [TokenID] = []
            tokens.reserveCapacity(begin.tokens.count)
            for token in begin.tokens { tokens.append(try read.token(token, "begin.tokens")) }
            return .begin(
                SequenceID(begin.sequence),
                SequenceStart(
                    tokens: tokens, sampling: try SamplingParameters(begin.sampling, read),
                    choice: try read.integer(begin.choice, "begin.choice", in: 0...Int(Int32.max)),
                    samplerState: try read.samplerState(begin.samplerState),
                    prefix: begin.hasPrefixSequence
                        ? SharedPrefix(
                            sequence: SequenceID(begin.prefixSequence),
                            length: try read.integer(begin.prefixLength, "begin.prefix_length", in: lengths)) : nil))
        case .truncate(let truncate):
            return .truncate(
                SequenceID(truncate.sequence), length: try read.integer(truncate.length, "truncate.length", in: lengths)
            )
        case .freeSequence(let sequence): return .free(SequenceID(sequence))
        case nil: throw read.wrong("operations", expected: "begin, truncate or free", got: "none of them")
        }
    }
}

extension WireStepHeader.Sampling {
    init(_ sampling: SamplingParameters) {
        self.init()
        temperature = sampling.temperature
        topK = UInt32(clamping: sampling.topK)
        topP = sampling.topP
        minP = sampling.minP
        repetitionPenalty = sampling.repetitionPenalty
        presencePenalty = sampling.presencePenalty
        frequencyPenalty = sampling.frequencyPenalty
        seed = sampling.seed
        biasTokens = sampling.logitBias.map { UInt32(clamping: $0.token) }
        biases = sampling.logitBias.map(\.bias)
        topLogprobCount = UInt32(clamping: sampling.topLogprobCount)
    }
}

extension SamplingParameters {
    init(_ header: WireStepHeader.Sampling, _ read: FieldReader) throws(WireError) {
        try read.count(header.biasTokens.count, "sampling.bias_tokens", max: WireLimits.logitBiasesMax)
        try read.equal(header.biases.count, header.biasTokens.count, "sampling.biases")
        var biases: [TokenLogitBias] = []
        for (token, bias) in zip(header.biasTokens, header.biases) {
            biases.append(
                TokenLogitBias(
                    token: try read.token(token, "sampling.bias_tokens"),
                    bias: try read.finite(bias, "sampling.biases")))
        }
        let greatest = Float.greatestFiniteMagnitude
        self.init(
            temperature: try read.finite(header.temperature, "sampling.temperature", in: 0...greatest),
            topK: try read.integer(header.topK, "sampling.top_k", in: 0...Int(Int32.max)),
            topP: try read.finite(header.topP, "sampling.top_p", in: 0...1),
            minP: try read.finite(header.minP, "sampling.min_p", in: 0...1),
            repetitionPenalty: try read.finite(
                header.repetitionPenalty, "sampling.repetition_penalty", in: Self.repetitionPenaltyRange),
            presencePenalty: try read.finite(header.presencePenalty, "sampling.presence_penalty"),
            frequencyPenalty: try read.finite(header.frequencyPenalty, "sampling.frequency_penalty"),
            seed: header.seed, logitBias: biases,
            topLogprobCount: try read.integer(
                header.topLogprobCount, "sampling.top_logprob_count", in: 0...WireLimits.topLogprobsMax))
    }
}
