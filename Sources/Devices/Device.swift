import Tensors

/// Something that computes: a CPU with its threads, later a GPU.
///
/// Weights, activations and state are handles that the device made and that only it can read; no operation takes a
/// pointer of the host but `upload`, `download` and the making of weights. Operations may be enqueued: their results
/// are there after `synchronize` (or `download`, which waits). Failures of enqueued work surface there too.
///
/// No operation is coarser than attention or feed-forward, so that a group of devices can gather between two.
/// A device belongs to the thread that made it.
package protocol Device: AnyObject {
    /// As users name it: `cpu`.
    var name: String { get }
    /// Name and version of the layout of packed weights: what one device packed, another of the same layout reads.
    var packedLayout: String { get }

    // MARK: Making handles

    /// Room for activations `[rowCapacity, columnCount]`, f32, uninitialised.
    func makeBuffer(rowCapacity: Int, columnCount: Int) throws(DeviceError) -> any DeviceBuffer
    /// A vector of weights (a norm, a bias), widened to f32.
    func makeVector(_ view: TensorView) throws(DeviceError) -> any DeviceVector
    /// The next matrices have so many bytes altogether, packed: room for them is made in one piece.
    func reserveWeights(_ byteCount: Int) throws(DeviceError)
    /// A weight matrix `[outputs, inputs]` in the layout that this device's kernels read, at the file's bits per
    /// weight.
    ///
    /// - Parameter copied: called for each run of the view's bytes that are no longer needed, while others still are;
    ///   together they are all of it.
    func makeMatrix(
        _ view: TensorView, bias: TensorView?, copied: (Range<Int>) -> Void
    ) throws(DeviceError) -> any DeviceMatrix
    /// A weight matrix that stays in the file's layout where it is, for a few products: its bytes must stay, too, until
    /// ``synchronize()`` after the last of them.
    ///
    /// - Parameter bias: of as many elements as the view has rows.
    func makePassingMatrix(_ view: TensorView, bias: (any DeviceVector)?) throws(DeviceError) -> any DeviceMatrix
    /// The same of weights that are packed already; whole tiles.
    func makePassingMatrix(
        _ packed: PackedView, bias: (any DeviceVector)?
    ) throws(DeviceError) -> any DeviceMatrix
    /// A weight matrix of weights that are packed already, which are copied.
    func makeMatrix(_ packed: PackedView, bias: TensorView?) throws(DeviceError) -> any DeviceMatrix
    /// Packs rows into memory of the caller's, of as many bytes as ``PackedView/byteCount(of:rowCount:columnCount:)`` says.
    func pack(_ view: TensorView, into target: UnsafeMutableRawBufferPointer) throws(DeviceError)
    /// Angles of rotary positions.
    func makeRotary(_ parameters: RotaryParameters) throws(DeviceError) -> any DeviceRotary
    /// Keys and values of one layer for `blockCount` blocks of ``CacheShape/blockPositions`` positions.
    func makeCache(_ shape: CacheShape, blockCount: Int) throws(DeviceError) -> any DeviceCache
    /// Room for the placement of up to `rowCapacity` rows.
    func makePlacement(rowCapacity: Int) throws(DeviceError) -> any DevicePlacement

    // MARK: Edges

    /// Copies rows `[rowCount, columnCount]`, f32, from the host; any alignment.
    func upload(_ source: UnsafeRawBufferPointer, rowCount: Int, to buffer: any DeviceBuffer)
    /// Says where the rows of the coming operations stand.
    func upload(_ rows: RowPlacement, to placement: any DevicePlacement)
    /// Waits, then copies rows to the host; any alignment.
    func download(_ rows: Range<Int>, of buffer: any DeviceBuffer, to target: UnsafeMutableRawPointer)
        throws(DeviceError)
    /// Waits for everything enqueued.
    func synchronize() throws(DeviceError)

    // MARK: Operations over the first `rowCount` rows

    /// RMSNorm of every row.
    func normalize(
        _ input: any DeviceBuffer, weight: any DeviceVector, epsilon: Float, rowCount: Int,
        into output: any DeviceBuffer)
    /// Multiplies the same rows with several matrices, or each matrix with rows of its own; rows are quantised once.
    ///
    /// - Parameter isContinued: the rows are those of the last call, which need not be quantised again; none of their runs
    ///   begins where another one did that ended elsewhere.
    func project(
        _ input: any DeviceBuffer, rowCount: Int, through projections: [Projection], isContinued: Bool)
    /// RMSNorm of every head `[headDim]` of every row, in place.
    func normalizeHeads(
        _ heads: any DeviceBuffer, headDim: Int, weight: any DeviceVector, epsilon: Float, rowCount: Int)
    /// Rotates every head of every row by the row's position, in place.
    func rotate(
        _ heads: any DeviceBuffer, headDim: Int, by rotary: any DeviceRotary, at placement: any DevicePlacement)
    /// Writes the rows' keys and values `[rows, keyValueHeads × headDim]` to their positions.
    func store(
        keys: any DeviceBuffer, values: any DeviceBuffer, into cache: any DeviceCache,
        at placement: any DevicePlacement)
    /// Attention of every row's queries `[rows, heads × headDim]` over the positions that it sees, its own included.
    func attend(
        queries: any DeviceBuffer, over cache: any DeviceCache, _ attention: AttentionParameters,
        at placement: any DevicePlacement, into output: any DeviceBuffer)
    /// silu(gate) × up, element by element.
    func activate(gate: any DeviceBuffer, up: any DeviceBuffer, rowCount: Int, into output: any DeviceBuffer)
    /// Every row's sum of other rows, each times its share.
    func mix(_ input: any DeviceBuffer, by shares: RowShares, into output: any DeviceBuffer)
    /// Adds `delta` to `hidden`, element by element.
    func add(_ delta: any DeviceBuffer, to hidden: any DeviceBuffer, rowCount: Int)
    /// Copies the listed rows to rows 0… of `output`.
    func gather(_ rows: [Int], of input: any DeviceBuffer, into output: any DeviceBuffer)
    /// Copies one block of keys and values over another.
    func copyBlock(_ source: Int, to target: Int, in cache: any DeviceCache)
}

/// One matrix of ``Device/project(_:rowCount:through:isContinued:)`` and where its products go.
package struct Projection {
    package let matrix: any DeviceMatrix
    /// `[rows, columns]`
    package let output: any DeviceBuffer
    /// Column of `output` for the first product; the others follow.
    package let firstColumn: Int
    /// Of input and output; nil for all.
    package let rows: Range<Int>?

    package init(
        _ matrix: any DeviceMatrix, into output: any DeviceBuffer, firstColumn: Int = 0, rows: Range<Int>? = nil
    ) {
        self.matrix = matrix
        self.output = output
        self.firstColumn = firstColumn
        self.rows = rows
    }
}
