import CZeroMQ

/// Why an operation on a socket failed: what was tried, where, and what the system said.
package struct ZeroMQError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `bind`, `connect`, `send`, an option's name.
    package let operation: String
    /// As it was given; nil where none is involved.
    package let endpoint: String?
    /// The system's or libzmq's number.
    package let errno: Int32
    /// Says it where `errno` is too coarse for that; nil shows the number's own text.
    package let reason: String?
    /// What to do about it, where that is known.
    package let hint: String?

    package init(
        operation: String, endpoint: String? = nil, errno: Int32, reason: String? = nil, hint: String? = nil
    ) {
        self.operation = operation
        self.endpoint = endpoint
        self.errno = errno
        self.reason = reason
        self.hint = hint
    }

    /// What the last failed call of this thread left behind.
    static func last(_ operation: String, endpoint: String? = nil) -> ZeroMQError {
        let number = zmq_errno()
        let hint: String? =
            switch number {
            case EADDRINUSE: "is another program listening there?"
            case EADDRNOTAVAIL, ENODEV: "the address must belong to this machine"
            case EMFILE: "raise the limit of open files (ulimit -n)"
            default: nil
            }
        return ZeroMQError(operation: operation, endpoint: endpoint, errno: number, hint: hint)
    }

    /// A send that would have to wait, where the bound on what is in flight should have made that impossible.
    package static func sendRefused(to endpoint: Endpoint) -> ZeroMQError {
        ZeroMQError(
            operation: "send", endpoint: endpoint.description, errno: EAGAIN,
            hint: "its queue is full or nobody is connected")
    }

    package var description: String {
        let place = endpoint.map { "\($0): " } ?? ""
        let tail = hint.map { "; \($0)" } ?? ""
        return "\(place)\(operation): \(reason ?? String(cString: zmq_strerror(errno)))\(tail)"
    }
}
