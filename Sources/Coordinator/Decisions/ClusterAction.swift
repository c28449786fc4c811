import Logging
import Sharding
import ZeroMQ

/// A connection of the control socket; new when a worker connects again.
package struct PeerID: Hashable, Sendable {
    package var bytes: [UInt8]
    /// What the peer proved; nil without encryption.
    package var key: CurvePublicKey?

    package init(_ bytes: [UInt8], key: CurvePublicKey? = nil) {
        self.bytes = bytes
        self.key = key
    }
}

/// What a decision asks its driver to do, in order.
package enum ClusterAction: Sendable, Equatable {
    case send(CoordinatorOrder, to: PeerID)
    /// Measure the ways from here to workers; ``ClusterMachine/measured(_:by:now:)`` answers.
    case measure(LinkOrder)
    /// Connect to the first stage of a plan, in place of any other; ``ClusterMachine/connected(_:_:now:)`` answers.
    /// A wildcard endpoint is on this machine; there is no key without encryption.
    case connect(Epoch, endpoint: String, key: CurvePublicKey?)
    /// Take results of the holders of these keys alone.
    case admitResults(Set<CurvePublicKey>)
    /// Take hellos and weight requests of the holders of these keys alone; end the connections of others.
    case admit(Set<CurvePublicKey>, endingThoseOf: Set<CurvePublicKey>)
    /// Look the rows' embeddings up and send them to the first stage.
    case step(Step, Epoch)
    case deliver(SequenceEvent)
    /// Start a launched worker again after a wait.
    case restart(worker: String, after: Duration)
    /// End a launched worker's process at once: it does not answer.
    case kill(worker: String)
    /// What would load, where nothing is to be loaded.
    case planned(Plan)
    /// The cluster cannot come up like this; whoever launches gives up.
    case cannotStart(StartFailure)
    case log(Logger.Level, String, worker: String?)
    /// All requests have ended and the workers were told.
    case stopped
}

/// Why a cluster does not come up.
package enum StartFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The configuration and the workers do not fit the model.
    case placement(PlacementError)
    /// A worker refused, was refused, or ended again and again.
    case worker(String)
    /// A launched worker ended because of its arguments or its configuration.
    case configuration(String)

    package var description: String {
        switch self {
        case .placement(let error): error.description
        case .worker(let message), .configuration(let message): message
        }
    }
}

/// What happens to a sequence, for whoever asked for it.
package enum SequenceEvent: Sendable, Equatable {
    /// It has entered the stages, which hold the state of so many of its tokens already.
    case begun(SequenceID, cachedTokens: Int)
    case token(SequenceID, AcceptedToken)
    case finished(SequenceID, FinishReason, GenerationTimings)
    case failed(SequenceID, EngineError)
    /// Logits `[rows, vocabularySize]` of a diagnostic's chunk.
    case logits(SequenceID, [Float])
    /// It has ended with this.
    case embedded(SequenceID, Embedding)

    package var sequence: SequenceID {
        switch self {
        case .begun(let id, _), .token(let id, _), .finished(let id, _, _), .failed(let id, _), .logits(let id, _),
            .embedded(let id, _):
            id
        }
    }
}
