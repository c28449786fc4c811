import Tensors

/// What a placement needs to know of a model: the cost of each unit, before anything loads.
package struct PlacementModel: Sendable, Hashable {
    package struct Layer: Sendable, Hashable {
        package var weightBytes: Int
        /// Bytes of its matrices by their type; empty where that is not known.
        package var matrixBytes: [ElementType: Int]
        /// Bytes of state a position takes, over all of its heads.
        package var stateBytesPerToken: Int
        /// Bytes of state a sequence takes whatever its length.
        package var stateBytesFixed: Int

        package init(
            weightBytes: Int, matrixBytes: [ElementType: Int] = [:], stateBytesPerToken: Int, stateBytesFixed: Int = 0
        ) {
            self.weightBytes = weightBytes
            self.matrixBytes = matrixBytes
            self.stateBytesPerToken = stateBytesPerToken
            self.stateBytesFixed = stateBytesFixed
        }
    }

    package var name: String
    package var layers: [Layer]
    /// Output norm and matrix; a tied embedding counts here too.
    package var headWeightBytes: Int
    /// Bytes of the output matrix by its type; empty where that is not known.
    package var headMatrixBytes: [ElementType: Int]
    /// Bytes of a row's hidden state, as it travels from stage to stage.
    package var rowBytes: Int
    /// Working memory a row takes while layers compute, and while the head does.
    package var scratchBytesPerRow: Int
    package var headScratchBytesPerRow: Int
    /// Whether some layers are mixtures of experts.
    package var hasMixtures: Bool
    /// How `shard split` cut the model, as ranges of layers; empty for a model that is not split.
    package var shards: [Range<Int>]

    package init(
        name: String, layers: [Layer], headWeightBytes: Int, headMatrixBytes: [ElementType: Int] = [:],
        rowBytes: Int = 0, scratchBytesPerRow: Int, headScratchBytesPerRow: Int, hasMixtures: Bool = false,
        shards: [Range<Int>] = []
    ) {
        self.name = name
        self.layers = layers
        self.headWeightBytes = headWeightBytes
        self.headMatrixBytes = headMatrixBytes
        self.rowBytes = rowBytes
        self.scratchBytesPerRow = scratchBytesPerRow
        self.headScratchBytesPerRow = headScratchBytesPerRow
        self.hasMixtures = hasMixtures
        self.shards = shards
    }

    /// Layers, and the head after them.
    var unitCount: Int { layers.count + 1 }

    func weightBytes(ofUnit unit: Int) -> Int {
        unit == layers.count ? headWeightBytes : layers[unit].weightBytes
    }
}

extension PlacementModel {
    func matrixBytes(ofUnit unit: Int) -> [ElementType: Int] {
        unit == layers.count ? headMatrixBytes : layers[unit].matrixBytes
    }

    /// Whether the types of all matrices are known.
    var hasMatrixTypes: Bool { (0..<unitCount).allSatisfy { !matrixBytes(ofUnit: $0).isEmpty } }
}

/// What the cluster is to hold at once.
package struct PlacementDemand: Sendable, Hashable {
    /// Positions of the longest sequence.
    package var contextLength: Int
    package var maxSequences: Int
    /// Positions over all sequences, whole blocks.
    package var cachePositions: Int
    /// Rows of the largest step, and of those how many may ask for logits.
    package var maxRows: Int
    package var maxHeadRows: Int

    package init(contextLength: Int, maxSequences: Int, cachePositions: Int, maxRows: Int, maxHeadRows: Int) {
        self.contextLength = contextLength
        self.maxSequences = maxSequences
        self.cachePositions = cachePositions
        self.maxRows = maxRows
        self.maxHeadRows = maxHeadRows
    }
}

/// A worker as a place for layers.
package struct PlacementWorker: Sendable, Hashable {
    package var name: String
    package var device: String
    /// Bytes that it may take altogether, the reserve already left out.
    package var memoryBytes: Int
    /// Rate at which it reads weights while computing; 0 when it was not measured.
    package var bytesPerSecond: Double
    /// nil when it was not measured.
    package var speed: ComputeSpeed?
    /// nil for a worker that holds all of its weights; else those without room are read from here for each step.
    package var disk: PlacementDisk?
    /// Equal on workers of one machine.
    package var machine: String
    /// For manual placement.
    package var selection: LayerSelection?

    package init(
        name: String, device: String, memoryBytes: Int, bytesPerSecond: Double, speed: ComputeSpeed? = nil,
        disk: PlacementDisk? = nil, machine: String = "", selection: LayerSelection? = nil
    ) {
        self.name = name
        self.device = device
        self.memoryBytes = memoryBytes
        self.bytesPerSecond = bytesPerSecond
        self.speed = speed
        self.disk = disk
        self.machine = machine
        self.selection = selection
    }
}

/// The disk of a worker that reads weights from it.
package struct PlacementDisk: Sendable, Hashable {
    /// 0 when it was not measured.
    package var bytesPerSecond: Double
    /// What the worker held before it loaded anything; 0 when it was not measured.
    package var programBytes: Int
    /// Threads of the worker, each of which has some working memory.
    package var threadCount: Int

    package init(bytesPerSecond: Double, programBytes: Int = 0, threadCount: Int = 1) {
        self.bytesPerSecond = bytesPerSecond
        self.programBytes = programBytes
        self.threadCount = threadCount
    }

    /// What one is taken for that was not measured: a common solid-state disk.
    static let assumedBytesPerSecond = 1e9

    var rate: Double {
        bytesPerSecond.isFinite && bytesPerSecond > 0 ? bytesPerSecond : Self.assumedBytesPerSecond
    }
}
