/// The first 64 bytes of every message, little-endian.
///
///     offset  bytes  field
///          0      4  magic "SHRD"
///          4      2  version, the protocol number
///          6      2  type
///          8     16  run id, high word first
///         24      8  epoch
///         32      8  step
///         40      2  stage
///         42      2  element type of the payload
///         44      4  row count
///         48      4  width, elements of a row
///         52      4  header bytes
///         56      4  payload bytes
///         60      4  CRC32C of everything, with this field as zero
package struct FramePrefix: Sendable, Hashable {
    package static let byteCount = 64
    package static let magic: UInt32 = 0x4452_4853
    package static let version = UInt16(ProtocolVersion.current.number)

    package var version = Self.version
    /// A `MessageType`, or one that this program does not know.
    package var type: UInt16
    package var run: RunID
    package var epoch: Epoch
    package var step: UInt64
    /// The stage that the message is for; of results, the one that they are from.
    package var stage: UInt16
    package var elementType: UInt16
    package var rowCount: UInt32
    package var width: UInt32
    package var headerBytes: UInt32
    package var payloadBytes: UInt32
    package var checksum: UInt32

    package init(
        type: MessageType, run: RunID, epoch: Epoch = .none, step: UInt64 = 0, stage: UInt16 = 0,
        elementType: UInt16 = 0, rowCount: UInt32 = 0, width: UInt32 = 0, headerBytes: UInt32 = 0,
        payloadBytes: UInt32 = 0, checksum: UInt32 = 0
    ) {
        self.type = type.rawValue
        self.run = run
        self.epoch = epoch
        self.step = step
        self.stage = stage
        self.elementType = elementType
        self.rowCount = rowCount
        self.width = width
        self.headerBytes = headerBytes
        self.payloadBytes = payloadBytes
        self.checksum = checksum
    }

    /// nil when there are fewer than 64 bytes or they do not begin with the magic; all else is for the caller to check.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount, Self.load(bytes, 0, UInt32.self) == Self.magic else { return nil }
        version = Self.load(bytes, 4, UInt16.self)
        type = Self.load(bytes, 6, UInt16.self)
        run = RunID(high: Self.load(bytes, 8, UInt64.self), low: Self.load(bytes, 16, UInt64.self))
        epoch = Epoch(Self.load(bytes, 24, UInt64.self))
        step = Self.load(bytes, 32, UInt64.self)
        stage = Self.load(bytes, 40, UInt16.self)
        elementType = Self.load(bytes, 42, UInt16.self)
        rowCount = Self.load(bytes, 44, UInt32.self)
        width = Self.load(bytes, 48, UInt32.self)
        headerBytes = Self.load(bytes, 52, UInt32.self)
        payloadBytes = Self.load(bytes, 56, UInt32.self)
        checksum = Self.load(bytes, 60, UInt32.self)
    }

    /// Writes 64 bytes to the start of `bytes`.
    package func write(to bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count >= Self.byteCount, "a prefix takes 64 bytes")
        Self.store(Self.magic, bytes, 0)
        Self.store(version, bytes, 4)
        Self.store(type, bytes, 6)
        Self.store(run.high, bytes, 8)
        Self.store(run.low, bytes, 16)
        Self.store(epoch.rawValue, bytes, 24)
        Self.store(step, bytes, 32)
        Self.store(stage, bytes, 40)
        Self.store(elementType, bytes, 42)
        Self.store(rowCount, bytes, 44)
        Self.store(width, bytes, 48)
        Self.store(headerBytes, bytes, 52)
        Self.store(payloadBytes, bytes, 56)
        Self.store(checksum, bytes, 60)
    }

    private static func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int, _ type: Value.Type
    ) -> Value {
        Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    private static func store<Value: FixedWidthInteger & BitwiseCopyable>(
        _ value: Value, _ bytes: UnsafeMutableRawBufferPointer, _ offset: Int
    ) {
        bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
}
