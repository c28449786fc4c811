import CKernels

// Operations that treat every row, or every head of it, alone.
extension CPUDevice {
    package func normalize(
        _ input: any DeviceBuffer, weight: any DeviceVector, epsilon: Float, rowCount: Int,
        into output: any DeviceBuffer
    ) {
        let (source, target, weight) = (own(input), own(output), own(weight))
        precondition(
            source.columnCount == target.columnCount && weight.count == source.columnCount
                && rowCount <= source.rowCapacity && rowCount <= target.rowCapacity, "a norm fits its rows")
        let norm = kernels.rms_norm
        inRows(rowCount, floatsPerRow: source.columnCount) { row in
            norm(source.row(row), weight.floats, source.columnCount, epsilon, target.row(row))
        }
    }

    package func normalizeHeads(
        _ heads: any DeviceBuffer, headDim: Int, weight: any DeviceVector, epsilon: Float, rowCount: Int
    ) {
        let (heads, weight) = (own(heads), own(weight))
        precondition(
            weight.count == headDim && heads.columnCount % headDim == 0 && rowCount <= heads.rowCapacity,
            "a norm fits its heads")
        let norm = kernels.rms_norm
        inRows(rowCount, floatsPerRow: heads.columnCount) { row in
            for start in stride(from: 0, to: heads.columnCount, by: headDim) {
                let head = heads.row(row) + start
                norm(head, weight.floats, headDim, epsilon, head)
            }
        }
    }

    package func rotate(
        _ heads: any DeviceBuffer, headDim: Int, by rotary: any DeviceRotary, at placement: any DevicePlacement
    ) {
        let (heads, rotary, placement) = (own(heads), own(rotary), own(placement))
        let pairCount = rotary.pairCount
        precondition(
            2 * pairCount <= headDim && heads.columnCount % headDim == 0
                && placement.rows.rowCount <= heads.rowCapacity, "rotary dimensions fit their heads")
        let pairs = UInt32(rotary.parameters.pairsAdjacent ? SHARD_PAIRS_ADJACENT : SHARD_PAIRS_HALVES)
        let rotate = kernels.rotate
        rotary.withTable(of: placement) { cosines, sines in
            inRows(placement.rows.rowCount, floatsPerRow: heads.columnCount) { row in
                rotate(
                    heads.row(row), heads.columnCount / headDim, headDim, pairCount, pairs, cosines + row * pairCount,
                    sines + row * pairCount)
            }
        }
    }

    package func activate(
        gate: any DeviceBuffer, up: any DeviceBuffer, rowCount: Int, into output: any DeviceBuffer
    ) {
        let (gate, up, target) = (own(gate), own(up), own(output))
        precondition(
            gate.columnCount == up.columnCount && gate.columnCount == target.columnCount
                && rowCount <= min(gate.rowCapacity, up.rowCapacity, target.rowCapacity), "gate and up are alike")
        let multiply = kernels.silu_multiply
        inRows(rowCount, floatsPerRow: gate.columnCount) { row in
            multiply(gate.row(row), up.row(row), gate.columnCount, target.row(row))
        }
    }

    package func mix(_ input: any DeviceBuffer, by shares: RowShares, into output: any DeviceBuffer) {
        let (source, target) = (own(input), own(output))
        let (columnCount, shareCount) = (source.columnCount, shares.sharesPerRow)
        let rowCount = shareCount == 0 ? 0 : shares.rows.count / shareCount
        precondition(
            columnCount == target.columnCount && rowCount <= target.rowCapacity
                && shares.factors.count == shares.rows.count
                && shares.rows.allSatisfy { $0 >= 0 && $0 < source.rowCapacity }, "shares are of rows")
        let add = kernels.add_scaled
        inRows(rowCount, floatsPerRow: shareCount * columnCount) { row in
            let sum = target.row(row)
            sum.update(repeating: 0, count: columnCount)
            for share in row * shareCount..<(row + 1) * shareCount {
                add(source.row(Int(shares.rows[share])), shares.factors[share], sum, columnCount, sum)
            }
        }
    }

    package func gather(_ rows: [Int], of input: any DeviceBuffer, into output: any DeviceBuffer) {
        let (source, target) = (own(input), own(output))
        precondition(
            rows.count <= target.rowCapacity && source.columnCount == target.columnCount
                && rows.allSatisfy { $0 >= 0 && $0 < source.rowCapacity }, "rows fit")
        inRows(rows.count, floatsPerRow: source.columnCount) { index in
            target.row(index).update(from: source.row(rows[index]), count: source.columnCount)
        }
    }

    package func add(_ delta: any DeviceBuffer, to hidden: any DeviceBuffer, rowCount: Int) {
        let (delta, hidden) = (own(delta), own(hidden))
        precondition(
            delta.columnCount == hidden.columnCount && rowCount <= min(delta.rowCapacity, hidden.rowCapacity),
            "a residual is alike")
        let add = kernels.add
        inRows(rowCount, floatsPerRow: hidden.columnCount) { row in
            add(hidden.row(row), delta.row(row), hidden.columnCount, hidden.row(row))
        }
    }
}
