/// Bounds of what a message may hold; both ends check them.
package enum WireLimits {
    /// Header of a control message.
    package static let controlHeaderBytesMax = 1 << 20
    /// Header of a data message; `begin` carries all tokens of a sequence.
    package static let dataHeaderBytesMax = 16 << 20
    /// Hidden states of a step; the data sockets take frames up to this.
    package static let payloadBytesMax = 64 << 20
    package static let rowsMax = 1 << 16
    package static let operationsMax = 1 << 16
    /// Tokens of one sequence, and so its positions.
    package static let sequenceTokensMax = 1 << 24
    package static let stagesMax = 4096
    package static let logitBiasesMax = 1024
    package static let topLogprobsMax = 100
    package static let acceptedTokensMax = 1024
    /// Elements of all means of a result: 8 MiB.
    package static let meanElementsMax = 1 << 21
    /// Elements of logits in one message: 1 MiB.
    package static let logitsPieceElementsMax = 1 << 18
    package static let textBytesMax = 4096
    package static let endpointBytesMax = 512
    /// Bytes of one step's messages, and nanoseconds of one stage: sums of many stay far below what integers hold.
    package static let amountMax = 1 << 50
    package static let workerNameBytesMax = 64
    /// Header of a message of the weights sockets.
    package static let weightHeaderBytesMax = 8192
    /// Bytes of weights in one message: no heartbeat of the connection waits long behind one.
    package static let weightChunkBytesMax = 1 << 20
    /// A model of 262,144 tensors takes about 40 MB.
    package static let descriptionBytesMax = 64 << 20
}
