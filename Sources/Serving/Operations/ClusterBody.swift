import Sharding

/// Answer of `GET /v1/cluster`: all that is known of how the server and its engine do.
package struct ClusterBody: Sendable, Codable, Hashable {
    package struct Model: Sendable, Codable, Hashable {
        package var id: String
        package var contextLength: Int
        package var vocabularySize: Int
    }

    package var object = "cluster"
    /// Of the program.
    package var version: String
    package var model: Model
    package var http: HTTPSnapshot
    /// Absent where the engine does not count.
    package var engine: EngineSnapshot?
}
