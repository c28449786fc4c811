import ZeroMQ

/// Where a worker that lacks the model's files gets its weights: by the hashes of their bytes, from the first source that
/// has them.
package struct WeightOrder: Sendable, Hashable {
    package struct Source: Sendable, Hashable {
        /// A worker's name; empty stands for the coordinator.
        package var name: String
        /// Of its weights socket; a wildcard stands for the machine of the coordinator.
        package var endpoint: String
        /// nil without encryption.
        package var key: CurvePublicKey?

        package init(name: String, endpoint: String, key: CurvePublicKey? = nil) {
            self.name = name
            self.endpoint = endpoint
            self.key = key
        }
    }

    /// As many as a fetch connects to.
    package static let sourcesMax = 16

    /// Of the encoded ``ModelDescription``, which names the hashes of all tensors.
    package var description: FileHash
    package var descriptionBytes: Int
    /// In the order in which they are asked.
    package var sources: [Source]
    /// Keys of those that may fetch from this worker; empty without encryption.
    package var readers: [CurvePublicKey]

    package init(
        description: FileHash, descriptionBytes: Int, sources: [Source], readers: [CurvePublicKey] = []
    ) {
        self.description = description
        self.descriptionBytes = descriptionBytes
        self.sources = sources
        self.readers = readers
    }
}
