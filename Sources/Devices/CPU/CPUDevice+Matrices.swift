import CKernels

extension CPUDevice {
    package func project(
        _ input: any DeviceBuffer, rowCount: Int, through projections: [Projection], isContinued: Bool
    ) {
        let source = own(input)
        precondition(rowCount <= source.rowCapacity, "rows fit their buffer")
        guard rowCount > 0 else { return }
        if !isContinued { forgetPrepared(rowCount) }
        let rowsTogether = Self.rowsTogether(of: rowCount, columnCount: source.columnCount)
        for first in stride(from: 0, to: rowCount, by: rowsTogether) {
            var passingTileBytes = 0
            for projection in projections {
                let (matrix, output) = (own(projection.matrix), own(projection.output))
                precondition(
                    matrix.inputCount == source.columnCount && projection.firstColumn >= 0
                        && projection.firstColumn + matrix.outputCount <= output.columnCount
                        && rowCount <= output.rowCapacity, "a matrix fits its input and output")
                let rows = projection.rows ?? 0..<rowCount
                precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows are of the input")
                let part = rows.dropFirst(first).prefix(rowsTogether)
                guard !part.isEmpty else { continue }
                let kind = matrix.activationKind
                products.append(
                    Product(
                        matrix, prepare(source, rows, kind: kind) + shard_panel_offset(kind, source.columnCount, first),
                        into: output, firstColumn: projection.firstColumn, rows: part))
                passingTileBytes = max(passingTileBytes, matrix.passingTileBytes)
            }
            // Safe: the list stays as it is, and the caller keeps matrices and buffers, until the threads are done.
            products.withUnsafeBufferPointer { run($0, passingTileBytes: passingTileBytes) }
            products.removeAll(keepingCapacity: true)
        }
    }

    /// Parts of the rows, as even as whole panels are: their activations stay in the processor's caches while tile after
    /// tile meets them; more would come from memory each time.
    private static func rowsTogether(of rowCount: Int, columnCount: Int) -> Int {
        let panelRows = Int(SHARD_PANEL_ROWS)
        let panelBytes = panelRows * shard_activation_bytes(UInt32(SHARD_ACTIVATION_Q8_256), columnCount)
        let panelCount = (rowCount + panelRows - 1) / panelRows
        let panelsMax = max(1, activationBytesTogether / max(1, panelBytes))
        let partCount = (panelCount + panelsMax - 1) / panelsMax
        return (panelCount + partCount - 1) / partCount * panelRows
    }

    private static let activationBytesTogether = 2 << 20

    private func forgetPrepared(_ rowCount: Int) {
        if preparedKinds.count < rowCount { preparedKinds = Array(repeating: 0, count: rowCount) }
        for row in 0..<rowCount { preparedKinds[row] = 0 }
    }

    /// Rows in panels, as the kernels want activations of a kind; the first panel begins with the first of them.
    private func prepare(_ source: CPUBuffer, _ rows: Range<Int>, kind: UInt32) -> UnsafeRawPointer {
        // A panel of one row of f32 is the row.
        if kind == UInt32(SHARD_ACTIVATION_F32), rows.count == 1 {
            return UnsafeRawPointer(source.row(rows.lowerBound))
        }
        let rowBytes = shard_activation_bytes(kind, source.columnCount)
        let all = scratch(&prepared[Int(kind)], byteCount: source.rowCapacity * rowBytes)
        let area = all + rows.lowerBound * rowBytes
        guard preparedKinds[rows.lowerBound] & 1 << kind == 0 else { return UnsafeRawPointer(area) }
        preparedKinds[rows.lowerBound] |= 1 << kind
        let quantize = kernels.quantize
        inRows(rows.count, floatsPerRow: source.columnCount) { row in
            quantize(
                kind, source.row(rows.lowerBound + row), source.columnCount, shard_panel_rows(row, rows.count),
                area + shard_panel_offset(kind, source.columnCount, row))
        }
        return UnsafeRawPointer(area)
    }

    /// - Parameter passingTileBytes: of the largest tile of passing matrices; 0 when there are none.
    private func run(_ products: UnsafeBufferPointer<Product>, passingTileBytes: Int) {
        let tileCount = products.reduce(0) { $0 + $1.tileCount }
        // Many tasks a thread, so that all end at about the same time, whatever each waited for; of several tiles where
        // there are enough, as kernels of floats take those together.
        let unit = tileCount < pool.threadCount * Self.tasksPerThread ? 1 : Self.tilesTogether
        let unitCount = (tileCount + unit - 1) / unit
        let taskCount = pool.threadCount == 1 ? 1 : min(unitCount, pool.threadCount * Self.tasksPerThread)
        let passStride = Self.passStride(tileBytes: passingTileBytes)
        let passing =
            passingTileBytes > 0
            ? scratch(
                &passingTiles,
                byteCount: Self.passingBytes(tileBytes: passingTileBytes, threadCount: pool.threadCount)) : nil
        let kernels = kernels
        let matmul = options.activations == .int8 ? kernels.matmul : shard_matmul_float_activations
        pool.run(taskCount: taskCount) { task, thread in
            let wanted = unitCount * task / taskCount * unit..<min(unitCount * (task + 1) / taskCount * unit, tileCount)
            var first = 0
            for index in products.indices {
                let tiles = wanted.clamped(to: first..<first + products[index].tileCount)
                if !tiles.isEmpty {
                    products[index].run(
                        tiles.lowerBound - first..<tiles.upperBound - first, matmul, kernels,
                        passing: passing.map { $0 + thread * passStride })
                }
                first += products[index].tileCount
            }
        }
    }

    private static let tasksPerThread = 32
    /// That kernels take at once.
    static let tilesTogether = 4
    private static let cacheLineBytes = 64

    /// Memory for tiles of passing matrices.
    ///
    /// - Parameter tileBytes: of the largest.
    package static func passingBytes(tileBytes: Int, threadCount: Int) -> Int {
        max(passStride(tileBytes: tileBytes) * threadCount, AlignedMemory.largePageBytes)
    }

    /// Of the areas of two threads.
    private static func passStride(tileBytes: Int) -> Int {
        (tilesTogether * tileBytes + cacheLineBytes - 1) / cacheLineBytes * cacheLineBytes
    }

    /// Calls `body` for every row, shared between the threads where that pays.
    func inRows(_ rowCount: Int, floatsPerRow: Int, _ body: (Int) -> Void) {
        let rowsPerTask = max(1, Self.floatsPerTaskMin / max(1, floatsPerRow))
        pool.run(taskCount: (rowCount + rowsPerTask - 1) / rowsPerTask) { task, _ in
            for row in task * rowsPerTask..<min((task + 1) * rowsPerTask, rowCount) { body(row) }
        }
    }

    /// Below this a hand-over to another thread costs more than the work.
    private static let floatsPerTaskMin = 16384

    /// Memory of at least that size, kept for the next call.
    func scratch(_ memory: inout AlignedMemory?, byteCount: Int) -> UnsafeMutableRawPointer {
        if let memory, memory.byteCount >= byteCount { return memory.base }
        do {
            let larger = try AlignedMemory(byteCount: byteCount, for: "scratch")
            memory = larger
            return larger.base
        } catch {
            preconditionFailure("\(error)")
        }
    }
}

/// One matrix times some rows: what threads share of it, without owning it.
struct Product {
    typealias Matmul =
        @convention(c) (
            UnsafePointer<shard_matrix>, _ tileFirst: Int, _ tileEnd: Int, _ activations: UnsafeRawPointer,
            _ activationCount: Int, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
        ) -> Void

    private let matrix: shard_matrix
    private let isPacked: Bool
    private let bias: UnsafePointer<Float>?
    private let activations: UnsafeRawPointer
    private let rowCount: Int
    private let output: UnsafeMutablePointer<Float>
    private let outputStride: Int
    let tileCount: Int

    init(
        _ matrix: CPUMatrix, _ activations: UnsafeRawPointer, into output: CPUBuffer, firstColumn: Int,
        rows: Range<Int>
    ) {
        self.matrix = matrix.kernelMatrix
        isPacked = matrix.isPacked
        bias = matrix.bias?.floats
        self.activations = activations
        rowCount = rows.count
        self.output = output.row(rows.lowerBound) + firstColumn
        outputStride = output.columnCount
        tileCount = matrix.tileCount
    }

    /// - Parameter passing: where tiles of a matrix in the file's layout are packed.
    func run(
        _ tiles: Range<Int>, _ matmul: Matmul, _ kernels: borrowing shard_kernels,
        passing: UnsafeMutableRawPointer?
    ) {
        if isPacked {
            withUnsafePointer(to: matrix) {
                matmul($0, tiles.lowerBound, tiles.upperBound, activations, rowCount, output, outputStride)
            }
        } else if let passing {
            for first in stride(from: tiles.lowerBound, to: tiles.upperBound, by: CPUDevice.tilesTogether) {
                pass(first..<min(first + CPUDevice.tilesTogether, tiles.upperBound), matmul, through: passing)
            }
        }
        guard let bias else { return }
        let first = tiles.lowerBound * Int(SHARD_TILE_ROWS)
        let end = min(tiles.upperBound * Int(SHARD_TILE_ROWS), matrix.row_count)
        for row in 0..<rowCount {
            let output = output + row * outputStride + first
            kernels.add(output, bias + first, end - first, output)
        }
    }

    /// Packs a few tiles and multiplies them while they are in the cache.
    private func pass(
        _ tiles: Range<Int>, _ matmul: Matmul, through packed: UnsafeMutableRawPointer
    ) {
        let firstRow = tiles.lowerBound * Int(SHARD_TILE_ROWS)
        let rows = matrix.packed + firstRow * shard_row_bytes(matrix.type, matrix.column_count)
        let part = shard_matrix(
            packed: packed, row_count: min(tiles.count * Int(SHARD_TILE_ROWS), matrix.row_count - firstRow),
            column_count: matrix.column_count, type: matrix.type)
        shard_pack(matrix.type, rows, part.row_count, part.column_count, 0, tiles.count, packed)
        withUnsafePointer(to: part) {
            matmul($0, 0, tiles.count, activations, rowCount, output + firstRow, outputStride)
        }
    }
}
