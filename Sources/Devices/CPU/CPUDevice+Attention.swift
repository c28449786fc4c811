import CKernels

extension CPUDevice {
    package func store(
        keys: any DeviceBuffer, values: any DeviceBuffer, into cache: any DeviceCache,
        at placement: any DevicePlacement
    ) {
        let (keys, values, cache, rows) = (own(keys), own(values), own(cache), own(placement).rows)
        let (headCount, headDim) = (cache.shape.keyValueHeadCount, cache.shape.headDim)
        precondition(
            keys.columnCount == headCount * headDim && values.columnCount == headCount * headDim
                && rows.rowCount <= min(keys.rowCapacity, values.rowCapacity), "keys and values fit their cache")
        let (store, type) = (kernels.store, cache.kernelType)
        inRows(rows.rowCount, floatsPerRow: 2 * keys.columnCount) { row in
            let position = Int(rows.positions[row])
            let entry = Int(rows.tableStarts[row]) + position / CacheShape.blockPositions
            let block = cache.block(Int(rows.blocks[entry]))
            for head in 0..<headCount {
                store(
                    keys.row(row) + head * headDim, values.row(row) + head * headDim, position, type, headDim,
                    block + head * cache.headBytes)
            }
        }
    }

    package func attend(
        queries: any DeviceBuffer, over cache: any DeviceCache, _ attention: AttentionParameters,
        at placement: any DevicePlacement, into output: any DeviceBuffer
    ) {
        let (queries, cache, rows, output) = (own(queries), own(cache), own(placement).rows, own(output))
        let headDim = cache.shape.headDim
        precondition(
            queries.columnCount == attention.headCount * headDim && output.columnCount == queries.columnCount
                && attention.headCount % cache.shape.keyValueHeadCount == 0
                && rows.rowCount <= min(queries.rowCapacity, output.rowCapacity), "queries fit their cache")
        guard rows.rowCount > 0 else { return }
        blockAddresses.removeAll(keepingCapacity: true)
        for block in rows.blocks { blockAddresses.append(UnsafeRawPointer(cache.block(Int(block)))) }
        let partialFloats = headDim + 2
        blockAddresses.withUnsafeBufferPointer { addresses in
            guard let addresses = addresses.baseAddress else { return }
            let work = AttentionWork(
                kernels: kernels, queries: queries, cache: cache, rows: rows, output: output, attention: attention,
                addresses: addresses, partialFloats: partialFloats)
            run(work)
        }
    }

    /// Many rows: a task is one row and key/value head with all its spans, and partials are a thread's own. Few rows:
    /// spans are tasks too, so that generation at a long context uses all threads.
    private func run(_ work: AttentionWork) {
        let itemCount = work.rows.rowCount * work.keyValueHeadCount
        let spanCount = work.spanCountMax
        let itemFloats = work.groupSize * spanCount * work.partialFloats
        let splitsSpans = pool.threadCount > 1 && spanCount > 1 && itemCount < 4 * pool.threadCount
        let areaCount = splitsSpans ? itemCount : pool.threadCount
        let partials = scratch(&partials, byteCount: areaCount * itemFloats * MemoryLayout<Float>.size)
            .assumingMemoryBound(to: Float.self)
        guard splitsSpans else {
            pool.run(taskCount: itemCount) { item, thread in
                let area = partials + thread * itemFloats
                let spans = work.spans(ofItem: item)
                for span in spans { work.attend(item: item, span: span, partials: area, spanCount: spanCount) }
                work.merge(item: item, partials: area, spanCount: spanCount)
            }
            return
        }
        pool.run(taskCount: itemCount * spanCount) { task, _ in
            let (item, index) = task.quotientAndRemainder(dividingBy: spanCount)
            let spans = work.spans(ofItem: item)
            guard index < spans.count else { return }
            work.attend(
                item: item, span: spans.lowerBound + index, partials: partials + item * itemFloats,
                spanCount: spanCount)
        }
        pool.run(taskCount: itemCount) { item, _ in
            work.merge(item: item, partials: partials + item * itemFloats, spanCount: spanCount)
        }
    }
}

/// One layer's attention over a step; an item is one row and one key/value head with the query heads that share it.
private struct AttentionWork {
    let kernels: shard_kernels
    let queries: CPUBuffer
    let cache: CPUCache
    let rows: RowPlacement
    let output: CPUBuffer
    let attention: AttentionParameters
    /// Of the blocks in `rows.blocks`.
    let addresses: UnsafePointer<UnsafeRawPointer?>
    /// Maximum, sum, accumulator of one head and span.
    let partialFloats: Int

    var keyValueHeadCount: Int { cache.shape.keyValueHeadCount }
    var groupSize: Int { attention.headCount / keyValueHeadCount }
    private var headDim: Int { cache.shape.headDim }
    private static var spanPositions: Int { Int(SHARD_SPAN_POSITIONS) }

    private func visible(fromPosition position: Int) -> Range<Int> {
        guard let window = attention.window else { return 0..<position + 1 }
        return max(0, position + 1 - window)..<position + 1
    }

    /// The spans that hold a visible position.
    func spans(ofPosition position: Int) -> Range<Int> {
        let visible = visible(fromPosition: position)
        return visible.lowerBound / Self.spanPositions..<position / Self.spanPositions + 1
    }

    /// Of any row.
    var spanCountMax: Int {
        var count = 1
        for position in rows.positions { count = max(count, spans(ofPosition: Int(position)).count) }
        return count
    }

    func spans(ofItem item: Int) -> Range<Int> {
        spans(ofPosition: Int(rows.positions[item / keyValueHeadCount]))
    }

    /// `partials` is the item's area, `[groupSize, spanCount, partialFloats]`.
    func attend(item: Int, span: Int, partials: UnsafeMutablePointer<Float>, spanCount: Int) {
        let (row, keyValueHead) = item.quotientAndRemainder(dividingBy: keyValueHeadCount)
        let position = Int(rows.positions[row])
        let first = spans(ofPosition: position).lowerBound
        let seen = visible(fromPosition: position).clamped(
            to: span * Self.spanPositions..<(span + 1) * Self.spanPositions)
        var call = shard_attention(
            queries: queries.row(row) + keyValueHead * groupSize * headDim, query_stride: headDim,
            query_count: groupSize, blocks: addresses + Int(rows.tableStarts[row]),
            head_offset: keyValueHead * cache.headBytes, cache_type: cache.kernelType, head_dim: headDim,
            scale: attention.scale, position_first: seen.lowerBound, position_end: seen.upperBound,
            partials: partials + (span - first) * partialFloats, partial_stride: spanCount * partialFloats)
        kernels.attend(&call)
    }

    func merge(item: Int, partials: UnsafeMutablePointer<Float>, spanCount: Int) {
        let (row, keyValueHead) = item.quotientAndRemainder(dividingBy: keyValueHeadCount)
        for head in 0..<groupSize {
            kernels.merge(
                partials + head * spanCount * partialFloats, spans(ofItem: item).count, partialFloats, headDim,
                output.row(row) + (keyValueHead * groupSize + head) * headDim)
        }
    }
}
