import CKernels

extension CPUDevice {
    package func project(_ input: any DeviceBuffer, rowCount: Int, through projections: [Projection]) {
        let source = own(input)
        precondition(rowCount <= source.rowCapacity, "rows fit their buffer")
        guard rowCount > 0 else { return }
        var preparedKinds: UInt32 = 0  // a bit each
        for projection in projections {
            let (matrix, output) = (own(projection.matrix), own(projection.output))
            precondition(
                matrix.inputCount == source.columnCount && matrix.outputCount == output.columnCount
                    && rowCount <= output.rowCapacity, "a matrix fits its input and output")
            let kind = matrix.activationKind
            let isDone = preparedKinds & 1 << kind != 0
            preparedKinds |= 1 << kind
            products.append(
                Product(
                    matrix: matrix, kernelMatrix: matrix.kernelMatrix,
                    activations: prepare(source, rowCount: rowCount, kind: kind, isDone: isDone), output: output))
        }
        // Safe: the list stays as it is until the threads are done. A copy of it would be one more owner, and emptying it
        // would then allocate.
        products.withUnsafeBufferPointer { run($0, rowCount: rowCount) }
        products.removeAll(keepingCapacity: true)
    }

    /// The first `rowCount` rows in panels, as the kernels want activations of a kind.
    private func prepare(_ source: CPUBuffer, rowCount: Int, kind: UInt32, isDone: Bool) -> UnsafeRawPointer {
        // A panel of one row of f32 is the row.
        if kind == UInt32(SHARD_ACTIVATION_F32), rowCount == 1 { return UnsafeRawPointer(source.floats) }
        let rowBytes = shard_activation_bytes(kind, source.columnCount)
        let area = scratch(&prepared[Int(kind)], byteCount: source.rowCapacity * rowBytes)
        if isDone { return UnsafeRawPointer(area) }
        let quantize = kernels.quantize
        inRows(rowCount, floatsPerRow: source.columnCount) { row in
            quantize(
                kind, source.row(row), source.columnCount, shard_panel_rows(row, rowCount),
                area + shard_panel_offset(kind, source.columnCount, row))
        }
        return UnsafeRawPointer(area)
    }

    private func run(_ products: UnsafeBufferPointer<Product>, rowCount: Int) {
        let tileCount = products.reduce(0) { $0 + $1.matrix.tileCount }
        // Several tasks a thread, so that a thread that waits for its core does not hold up the others for long.
        let tilesPerTask = max(1, tileCount / (pool.threadCount * 8))
        let kernels = kernels
        let matmul = options.activations == .int8 ? kernels.matmul : shard_matmul_float_activations
        pool.run(taskCount: (tileCount + tilesPerTask - 1) / tilesPerTask) { task, _ in
            let wanted = task * tilesPerTask..<min((task + 1) * tilesPerTask, tileCount)
            var first = 0
            for product in products {
                let tiles = wanted.clamped(to: first..<first + product.matrix.tileCount)
                if !tiles.isEmpty {
                    let local = tiles.lowerBound - first..<tiles.upperBound - first
                    var matrix = product.kernelMatrix
                    matmul(
                        &matrix, local.lowerBound, local.upperBound, product.activations, rowCount,
                        product.output.floats, product.output.columnCount)
                    product.addBias(to: local, rowCount: rowCount, kernels)
                }
                first += product.matrix.tileCount
            }
        }
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

/// One matrix times the step's rows.
struct Product {
    let matrix: CPUMatrix
    let kernelMatrix: shard_matrix
    let activations: UnsafeRawPointer
    let output: CPUBuffer

    func addBias(to tiles: Range<Int>, rowCount: Int, _ kernels: shard_kernels) {
        guard let bias = matrix.bias else { return }
        let first = tiles.lowerBound * Int(SHARD_TILE_ROWS)
        let end = min(tiles.upperBound * Int(SHARD_TILE_ROWS), matrix.outputCount)
        for row in 0..<rowCount {
            let output = output.row(row) + first
            kernels.add(output, bias.floats + first, end - first, output)
        }
    }
}
