@preconcurrency import Dispatch
import Foundation

/// Signals as a stream of their numbers; a signal asked for here no longer ends the process by itself.
package enum Signals {
    /// Buffers the last few; ends when the consumer's task does.
    package static func stream(_ numbers: Int32...) -> AsyncStream<Int32> {
        AsyncStream(bufferingPolicy: .bufferingNewest(8)) { continuation in
            let sources = numbers.map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in
                for source in sources { source.cancel() }
            }
        }
    }
}
