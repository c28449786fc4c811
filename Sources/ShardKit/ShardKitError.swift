import Devices
import Inference
import ModelFiles
import Models
import Sharding
import Tokenizers

/// Why a call of this library failed, in one line: the file or peer, the field, what was found, what was expected,
/// what to do.
public struct ShardKitError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable {
        /// A model's files are missing, damaged, or of a kind that cannot be read.
        case model
        /// What was asked for is wrong or does not exist here.
        case request
        /// It does not fit into memory or context.
        case doesNotFit
        /// A worker or the cluster failed.
        case cluster
        /// Computing failed.
        case failed
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// An error of a lower level, with the code that it has up here.
    package init(_ error: any Error) {
        switch error {
        case let error as ShardKitError: self = error
        case is ModelFileError, is ModelError, is ShardingError, is TokenizerError:
            self.init(.model, "\(error)")
        case let error as EngineError where error.code == .contextLengthExceeded:
            self.init(.doesNotFit, error.message)
        case let error as EngineError where error.code == .invalidRequest:
            self.init(.request, error.message)
        default: self.init(.failed, "\(error)")
        }
    }
}
