import Sharding

/// One comparison of a cluster with one process.
package struct VerificationCheck: Sendable {
    package enum Subject: Sendable, Hashable {
        /// The logits of all positions of a sequence.
        case logits(sequence: Int, chunk: Int)
        /// Generated tokens, their log probabilities and the likeliest others.
        case answers(Company)
        /// The mean of a sequence's hidden states.
        case embedding(sequence: Int)
    }

    package enum Company: String, Sendable {
        case alone
        case together
        /// The prompt begins with what was computed for another answer.
        case followUp
    }

    package var subject: Subject
    /// In words: `logits of 130 positions, 64 rows a step`.
    package var name: String
    /// Numbers that were compared.
    package var valueCount: Int
    /// nil: equal bit for bit.
    package var difference: VerificationDifference?
}

/// Where a cluster's answer first leaves that of one process.
package struct VerificationDifference: Sendable, Hashable {
    /// Index of the sequence, or of the request.
    package var sequence: Int
    /// Of the token whose logits, or after which a token, differ.
    package var position: Int
    /// Positions of the sequence whose logits differ; nil of answers and embeddings.
    package var positionCount: Int?
    /// Of that position's numbers.
    package var values: ValueDifference?
    /// That position's logits, as they came, until they have been compared with what is right.
    var row: [Float]?
    /// What was expected and what came, where that is no list of numbers.
    package var detail: String?
}

/// How two lists of numbers differ.
package struct ValueDifference: Sendable, Hashable {
    /// Numbers that do not have the same bits.
    package var differing: Int
    package var count: Int
    /// The largest distance between two that differ; infinite where one is no number or absent.
    package var largest: Float

    /// nil where all bits are equal.
    package init?(expected: [Float], got: [Float]) {
        count = max(expected.count, got.count)
        differing = abs(expected.count - got.count)
        largest = differing > 0 ? .infinity : 0
        for (expected, got) in zip(expected, got) where expected.bitPattern != got.bitPattern {
            differing += 1
            let distance = abs(expected - got)
            largest = max(largest, distance.isNaN ? .infinity : distance)
        }
        if differing == 0 { return nil }
    }
}
