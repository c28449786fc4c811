import ModelFiles
import Models
import Sharding
import WeightTransfer

/// Loading where this worker may lack the files: each tensor comes from the first place that has bytes with its hash.
extension PartLoader {
    func gather(
        _ order: WeightOrder, _ exchange: WeightExchange
    ) throws(LoadProblem) -> LoadedPart {
        let description = try describe(order, exchange)
        let model: ModelFile
        do {
            model = try StoredModel(description).model
        } catch {
            throw LoadProblem(error)
        }
        let spec = try describe(model)
        let names = neededTensors(of: model, as: spec)
        let local = localTensors(names, description, exchange)
        var wanted: [String: WantedBlob] = [:]
        var blobs: [WantedBlob] = []
        for tensor in description.tensors where tensor.content == nil && !local.names.contains(tensor.name) {
            guard names.contains(tensor.name) else { continue }
            let blob = WantedBlob(hash: tensor.sha256, byteCount: tensor.byteCount, name: tensor.name)
            wanted[tensor.name] = blob
            blobs.append(blob)
        }
        let rank = Dictionary(uniqueKeysWithValues: names.ordered.enumerated().map { ($1, $0) })
        blobs.sort { rank[$0.name, default: 0] < rank[$1.name, default: 0] }
        let fetch = try begin(blobs, order, exchange)
        defer { fetch?.cancel() }
        if isStreaming {
            let stored = try storedModel(description, model, names, local: local, blobs, fetch)
            let part = try stream(
                stored.model, spec, name: description.name, unhashed: [], entries: stored.entries)
            try tell(fetch, exchange)
            return part
        }
        let needs = try PartNeeds(self.order, model: spec, file: model)
        let source = GatheredTensors(
            model, wanted: wanted, local: local.file, localNames: local.names, fetch: fetch)
        let part = try pack(source, spec, needs, name: description.name, unhashed: [])
        try tell(fetch, exchange)
        return part
    }

    /// The same model, each needed tensor in the file where it lies; waits until all have come.
    private func storedModel(
        _ description: ModelDescription, _ model: ModelFile, _ needed: NeededTensors,
        local: (file: ModelFile?, names: Set<String>), _ blobs: [WantedBlob], _ fetch: WeightFetch?
    ) throws(LoadProblem) -> (model: ModelFile, entries: [StoreEntry]) {
        var entries: [String: StoreEntry] = [:]
        do throws(WeightTransferError) {
            for blob in blobs {
                guard let fetch else { break }
                entries[blob.name] = try fetch.wait(for: blob)
            }
        } catch {
            throw LoadProblem(error)
        }
        let pieces = description.tensors.map { tensor in
            var piece = ModelFile.Piece(name: tensor.name, type: tensor.type, shape: tensor.shape, file: nil)
            if let content = tensor.content {
                piece.file = MappedFile(bytes: content, name: tensor.name)
            } else if let entry = entries[tensor.name] {
                piece.file = entry.file
            } else if needed.contains(tensor.name), local.names.contains(tensor.name), let file = local.file,
                let info = file.tensor(tensor.name) as TensorInfo?
            {
                (piece.file, piece.offset) = (file.files[info.fileIndex], info.offset)
            }
            return piece
        }
        do {
            let assembled = try ModelFile.assemble(name: description.name, format: .safetensors, pieces: pieces)
            return (assembled, Array(entries.values))
        } catch {
            throw LoadProblem(.invalidFile, "\(error)")
        }
    }

    /// Says where the weights came from, once all are there.
    private func tell(_ fetch: WeightFetch?, _ exchange: WeightExchange) throws(LoadProblem) {
        guard let fetch else { return exchange.logger.notice("weights: all from files of this machine") }
        let summary: WeightFetch.Summary
        do throws(WeightTransferError) { summary = try fetch.join() } catch { throw LoadProblem(error) }
        exchange.logger.notice(
            """
            weights: \(describeBytes(summary.receivedBytes)) over the wire, \
            \(describeBytes(summary.presentBytes + summary.resumedBytes)) from the cache
            """)
        for (source, reason) in summary.dropped.sorted(by: { $0.key < $1.key }) {
            exchange.logger.warning("\(source) gave no weights: \(reason)")
        }
    }

    /// The model's metadata and its tensors' hashes, from the cache or a source.
    private func describe(
        _ order: WeightOrder, _ exchange: WeightExchange
    ) throws(LoadProblem) -> ModelDescription {
        let blob = WantedBlob(
            hash: order.description, byteCount: order.descriptionBytes, name: "the model's description")
        do {
            let fetch = try exchange.fetch([blob], order)
            cancellation.follow(fetch)
            let entry = try fetch.wait(for: blob)
            return try withExtendedLifetime(entry) { try ModelDescription(decoding: entry.file.bytes) }
        } catch let error as WeightTransferError {
            throw LoadProblem(error)
        } catch {
            throw LoadProblem(.invalidFile, "\(error)")
        }
    }

    /// What the stages of this worker need, in the order in which it is packed.
    private func neededTensors(of model: ModelFile, as spec: ModelSpec) -> NeededTensors {
        let parts = ModelParts(of: model, as: spec)
        var tensors = parts.shared
        for stage in order.stages {
            tensors += parts.layers[stage.layers].flatMap { $0 }
            if stage.includesHead { tensors += parts.head }
        }
        return NeededTensors(ordered: tensors.map(\.name))
    }

    /// Those tensors of files in this worker's folders that are what the description says.
    private func localTensors(
        _ names: NeededTensors, _ description: ModelDescription, _ exchange: WeightExchange
    ) -> (file: ModelFile?, names: Set<String>) {
        let needed = neededFiles()
        guard
            let found = try? ModelFinder(folders: configuration.modelFolders).find(needed, folder: order.model.folder),
            let file = try? open(found.folder, zip(needed, found.paths).filter { !$0.0.isCompanion }.map(\.1)),
            let hashes = try? exchange.hashes.hashes(
                of: file, only: names.all, threadCount: configuration.cpu.threads,
                progress: { done, total in
                    report.update(.hashing, done: done, total: total)
                    return !cancellation.isCancelled
                })
        else { return (nil, []) }
        let right = description.tensors.filter { tensor in
            hashes[tensor.name] == tensor.sha256
                && (file.tensor(tensor.name) as TensorInfo?)?.byteCount == tensor.byteCount
        }
        return (file, Set(right.map(\.name)))
    }

    private func begin(
        _ blobs: [WantedBlob], _ order: WeightOrder, _ exchange: WeightExchange
    ) throws(LoadProblem) -> WeightFetch? {
        guard !blobs.isEmpty else { return nil }
        let report = report
        do {
            let fetch = try exchange.fetch(blobs, order) { progress in
                report.update(.fetching, done: progress.doneBytes, total: progress.totalBytes)
            }
            cancellation.follow(fetch)
            return fetch
        } catch {
            throw LoadProblem(error)
        }
    }
}

/// Names of tensors, in an order and as a set.
struct NeededTensors {
    let ordered: [String]
    let all: Set<String>

    init(ordered names: [String]) {
        var seen: Set<String> = []
        ordered = names.filter { seen.insert($0).inserted }
        all = seen
    }

    func contains(_ name: String) -> Bool { all.contains(name) }
}

extension LoadProblem {
    init(_ error: WeightTransferError) {
        switch error.code {
        case .sources: self.init(.fileMissing, "\(error)")
        case .mismatch: self.init(.hashMismatch, "\(error)")
        case .model: self.init(.invalidFile, "\(error)")
        case .diskFull, .cacheFull: self.init(.fileMissing, "\(error)")
        case .system, .busy, .network, .cancelled: self.init(.other, "\(error)")
        }
    }
}
