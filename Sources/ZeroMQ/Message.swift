import CZeroMQ

/// One frame of a message, as libzmq holds it. Freed when it goes out of scope or is sent.
package struct Message: ~Copyable {
    // libzmq's structure holds no pointer into itself, so moving its bits moves the message.
    var storage: zmq_msg_t

    /// An empty frame.
    package init() {
        storage = zmq_msg_t()
        zmq_msg_init(&storage)
    }

    /// A frame of `byteCount` bytes, filled by `body`; what it leaves untouched is undefined.
    package init<Failure: Error>(
        byteCount: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        storage = zmq_msg_t()
        precondition(zmq_msg_init_size(&storage, byteCount) == 0, "no memory for a frame of \(byteCount) bytes")
        // The bytes live in the frame, or, in a small one, inside `storage` itself, which stays in place here.
        let filled = Result { () throws(Failure) in
            try withUnsafeMutablePointer(to: &storage) { (pointer) throws(Failure) in
                try body(UnsafeMutableRawBufferPointer(start: zmq_msg_data(pointer), count: byteCount))
            }
        }
        try filled.get()
    }

    /// A frame with a copy of `bytes`.
    package init(_ bytes: some Collection<UInt8>) {
        self.init(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
    }

    /// A frame that sends `bytes` from where they lie.
    ///
    /// - Parameters:
    ///   - bytes: must stay as they are until `release` runs.
    ///   - release: called exactly once, on libzmq's thread or this one, when the bytes are no longer needed.
    package init(sharing bytes: UnsafeRawBufferPointer, release: @escaping @Sendable () -> Void) {
        storage = zmq_msg_t()
        let hint = Unmanaged.passRetained(Release(release)).toOpaque()
        // libzmq only reads from a frame that is sent.
        let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        let code = zmq_msg_init_data(
            &storage, start, bytes.count,
            { _, hint in
                if let hint { Unmanaged<Release>.fromOpaque(hint).takeRetainedValue().run() }
            }, hint)
        precondition(code == 0, "no memory for a frame")
    }

    package var byteCount: Int {
        withUnsafePointer(to: storage) { zmq_msg_size($0) }
    }

    /// Whether another frame of the same message follows.
    package var hasMore: Bool {
        withUnsafePointer(to: storage) { zmq_msg_more($0) != 0 }
    }

    /// Lends the frame's bytes, which libzmq does not align.
    package func withBytes<Value: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        // Small frames lie inside the structure: a copy of it serves for the length of the call.
        var copy = storage
        return try withUnsafeMutablePointer(to: &copy) { (pointer) throws(Failure) -> Value in
            try body(UnsafeRawBufferPointer(start: zmq_msg_data(pointer), count: zmq_msg_size(pointer)))
        }
    }

    package var bytes: [UInt8] { withBytes { Array($0) } }

    deinit {
        var storage = storage
        zmq_msg_close(&storage)
    }
}

/// What runs when libzmq has done with a shared buffer.
private final class Release: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
