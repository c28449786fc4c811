import Foundation
import ZeroMQ

extension WireLoad {
    init(_ order: LoadOrder) {
        self.init()
        epoch = order.epoch.rawValue
        model.format =
            switch order.model.format {
            case .gguf: .gguf
            case .huggingFace: .huggingFace
            case .shards: .shards
            }
        model.folder = order.model.folder
        model.files = order.model.files.map { file in
            .with {
                $0.name = file.name
                $0.bytes = file.bytes
                $0.sha256 = Data(file.sha256)
                $0.units = file.units.map(\.description)
                $0.isCompanion = file.isCompanion
            }
        }
        if let order = order.weights { weights = WireLoad.Weights(order) }
        limits.cacheType =
            switch order.limits.cacheType {
            case .f32: .f32
            case .f16: .f16
            case .q8_0: .q80
            }
        limits.contextLength = UInt32(clamping: order.limits.contextLength)
        limits.maxSequences = UInt32(clamping: order.limits.maxSequences)
        limits.maxRows = UInt32(clamping: order.limits.maxRows)
        limits.cachePositions = UInt64(clamping: order.limits.cachePositions)
        limits.cacheBytes = order.limits.cacheBytes
        limits.memoryBytes = order.limits.memoryBytes
        limits.streamsWeights = order.limits.residency == .memoryEfficient
        threadCount = UInt32(clamping: order.threadCount ?? 0)
        stageCount = UInt32(clamping: order.stageCount)
        stages = order.stages.map { stage in
            .with {
                $0.index = UInt32(clamping: stage.index)
                $0.rank = UInt32(clamping: stage.rank)
                $0.groupCount = UInt32(clamping: stage.groupCount)
                $0.firstLayer = UInt32(clamping: stage.layers.lowerBound)
                $0.endLayer = UInt32(clamping: stage.layers.upperBound)
                $0.includesHead = stage.includesHead
                $0.nextEndpoint = stage.nextEndpoint
                if let key = stage.nextKey { $0.nextKey = key.description }
                $0.admittedSenders = stage.admittedSenders
                $0.admittedKeys = stage.admittedKeys.map(\.description)
            }
        }
    }
}

extension LoadOrder {
    static let filesMax = 4096
    static let layersMax = 65536

    init(_ header: WireLoad, _ read: FieldReader) throws(WireError) {
        let stageCount = try read.integer(header.stageCount, "stage_count", in: 1...WireLimits.stagesMax)
        guard !header.stages.isEmpty, header.stages.count <= stageCount else {
            throw read.wrong("stages", expected: "1 to \(stageCount) entries", got: header.stages.count)
        }
        var stages: [StageOrder] = []
        for stage in header.stages {
            let order = try StageOrder(stage, stageCount: stageCount, read)
            if let last = stages.last, last.index >= order.index {
                throw read.wrong("stages.index", expected: "more than \(last.index)", got: order.index)
            }
            stages.append(order)
        }
        let threadCount = try read.integer(header.threadCount, "thread_count", in: 0...WorkerHello.coresMax)
        self.init(
            epoch: Epoch(header.epoch), model: try ModelReference(header.model, read),
            weights: header.hasWeights ? try WeightOrder(header.weights, read) : nil,
            limits: try LoadLimits(header.limits, read), threadCount: threadCount == 0 ? nil : threadCount,
            stageCount: stageCount, stages: stages)
    }
}

extension ModelReference {
    init(_ header: WireLoad.Model, _ read: FieldReader) throws(WireError) {
        let format: Format
        switch header.format {
        case .gguf: format = .gguf
        case .huggingFace: format = .huggingFace
        case .shards: format = .shards
        case .unspecified, .UNRECOGNIZED:
            throw read.wrong("model.format", expected: "gguf, huggingFace or shards", got: header.format.rawValue)
        }
        try read.count(header.files.count, "model.files", max: LoadOrder.filesMax)
        var files: [ModelReferenceFile] = []
        for file in header.files {
            try read.count(file.units.count, "model.files.units", max: LoadOrder.layersMax + 2)
            var units: [ModelUnit] = []
            for name in file.units {
                guard let unit = ModelUnit(name) else {
                    throw read.wrong(
                        "model.files.units", expected: "embedding, blk.N or head",
                        got: String(name.prefix(80)).debugDescription)
                }
                units.append(unit)
            }
            files.append(
                ModelReferenceFile(
                    name: try read.bareName(file.name, "model.files.name"), bytes: file.bytes,
                    sha256: file.sha256.isEmpty
                        ? [] : try read.bytes(file.sha256, "model.files.sha256", count: WorkerHello.hashBytes),
                    units: units, isCompanion: file.isCompanion))
        }
        self.init(
            format: format, folder: header.folder.isEmpty ? "" : try read.bareName(header.folder, "model.folder"),
            files: files)
    }
}

extension LoadLimits {
    init(_ header: WireLoad.Limits, _ read: FieldReader) throws(WireError) {
        let cacheType: CacheElementType
        switch header.cacheType {
        case .f32: cacheType = .f32
        case .f16: cacheType = .f16
        case .q80: cacheType = .q8_0
        case .unspecified, .UNRECOGNIZED:
            throw read.wrong("limits.cache_type", expected: "f32, f16 or q8_0", got: header.cacheType.rawValue)
        }
        self.init(
            cacheType: cacheType,
            contextLength: try read.integer(
                header.contextLength, "limits.context_length", in: 1...WireLimits.sequenceTokensMax),
            maxSequences: try read.integer(header.maxSequences, "limits.max_sequences", in: 1...WireLimits.rowsMax),
            maxRows: try read.integer(header.maxRows, "limits.max_rows", in: 1...WireLimits.rowsMax),
            cachePositions: try read.integer(header.cachePositions, "limits.cache_positions", in: 1...(1 << 40)),
            cacheBytes: header.cacheBytes, memoryBytes: header.memoryBytes,
            residency: header.streamsWeights ? .memoryEfficient : .simple)
    }
}

extension StageOrder {
    init(_ header: WireLoad.Stage, stageCount: Int, _ read: FieldReader) throws(WireError) {
        let first = try read.integer(header.firstLayer, "stages.first_layer", in: 0...LoadOrder.layersMax)
        let end = try read.integer(header.endLayer, "stages.end_layer", in: first...LoadOrder.layersMax)
        guard end > first || header.includesHead else {
            throw read.wrong("stages", expected: "layers or the head", got: "neither")
        }
        guard header.rank == 0, header.groupCount == 1 else {
            throw read.wrong(
                "stages.rank", expected: "0 of a group of 1", got: "\(header.rank) of a group of \(header.groupCount)")
        }
        let index = try read.integer(header.index, "stages.index", in: 0...(stageCount - 1))
        guard header.includesHead == (index == stageCount - 1) else {
            throw read.wrong(
                "stages.includes_head", expected: "\(index == stageCount - 1) of stage \(index) of \(stageCount)",
                got: header.includesHead)
        }
        try read.count(header.admittedSenders.count, "stages.admitted_senders", max: WireLimits.stagesMax)
        var senders: [String] = []
        for name in header.admittedSenders {
            senders.append(name.isEmpty ? "" : try read.workerName(name, "stages.admitted_senders"))
        }
        try read.count(header.admittedKeys.count, "stages.admitted_keys", max: WireLimits.stagesMax)
        var keys: [CurvePublicKey] = []
        for key in header.admittedKeys { keys.append(try read.key(key, "stages.admitted_keys")) }
        self.init(
            index: index, rank: 0, groupCount: 1, layers: first..<end, includesHead: header.includesHead,
            nextEndpoint: try read.text(
                header.nextEndpoint, "stages.next_endpoint", max: WireLimits.endpointBytesMax),
            nextKey: header.hasNextKey ? try read.key(header.nextKey, "stages.next_key") : nil,
            admittedSenders: senders, admittedKeys: keys)
    }
}
