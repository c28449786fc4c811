/// What a coordinator tells a worker, over the control socket.
package enum CoordinatorOrder: Sendable, Hashable {
    case helloReply(HelloReply)
    /// The coordinator does not know the sender: say hello.
    case identify
    /// Say what the ways to these ends give.
    case measureLinks(LinkOrder)
    case load(LoadOrder)
    /// Take steps of this epoch, which was loaded; older epochs stay until they are drained.
    case activate(Epoch)
    /// Finish the steps of this epoch, then drop its shards.
    case drain(Epoch)
    /// Renews the worker's lease; sent at each heartbeat interval.
    case heartbeat
    /// Leave; one line says why. A worker that was started by hand waits for the next coordinator.
    case stop(reason: String)
}
