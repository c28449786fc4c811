import Hummingbird
import NIOCore

/// A request's surroundings: Hummingbird's own, the connection that it came on, and who asks.
struct ServingContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// nil where no keys are asked for.
    var caller: APICaller?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// What tells when the client goes; nil in tests without a connection.
    var watch: ConnectionWatch? {
        get async { try? await channel.pipeline.handler(type: ConnectionWatch.self).get() }
    }
}
