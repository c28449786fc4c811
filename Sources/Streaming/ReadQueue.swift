/// One read of a file, by position.
package struct FileRead {
    /// Told again at its end.
    package var id: UInt64
    package var descriptor: Int32
    package var offset: Int
    package var byteCount: Int
    /// Stays until the read ends.
    package var target: UnsafeMutableRawPointer

    package init(
        id: UInt64, descriptor: Int32, offset: Int, byteCount: Int, target: UnsafeMutableRawPointer
    ) {
        self.id = id
        self.descriptor = descriptor
        self.offset = offset
        self.byteCount = byteCount
        self.target = target
    }
}

package struct ReadEnd: Sendable, Hashable {
    package var id: UInt64
    /// Bytes that were read: less than asked for now and then, 0 at the end of the file; below 0 an error number.
    package var result: Int

    package init(id: UInt64, result: Int) {
        self.id = id
        self.result = result
    }
}

/// Reads that are under way while their caller does something else. Belongs to one thread.
package protocol ReadQueue: AnyObject {
    /// Begins a read; does not wait for it. At most ``ReadSettings/depthMax`` may be under way.
    func start(_ read: FileRead)
    /// A read that has ended; waits for one where none has yet. Only while some are under way.
    func next() -> ReadEnd
    /// A read that has ended; nil where none has yet.
    func nextEnded() -> ReadEnd?
}
