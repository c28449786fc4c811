import NIOCore
import NIOHTTPTypes
import Synchronization

/// Watches one connection: tells when its client has gone, and closes it when the client is too slow.
///
/// A client that shuts down its sending side counts as gone: that is how a closed connection looks until something
/// is written to it.
final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private struct State {
        var isLost = false
        var whenLost: (@Sendable () -> Void)?
        /// Runs while a head or a body is awaited.
        var reading: Scheduled<Void>?
        /// Runs while the client takes nothing.
        var writing: Scheduled<Void>?
    }

    private let limits: ServingLimits
    private let state = Mutex(State())

    init(limits: ServingLimits) { self.limits = limits }

    /// Calls `action` once when the client goes, at once if it has gone; replaces what was set before.
    func whenLost(_ action: @escaping @Sendable () -> Void) {
        let isLost = state.withLock { state in
            state.whenLost = state.isLost ? nil : action
            return state.isLost
        }
        if isLost { action() }
    }

    func forget() { state.withLock { $0.whenLost = nil } }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) { read(within: limits.headTimeout, context) }

    func handlerRemoved(context: ChannelHandlerContext) { lose() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: read(within: limits.bodyTimeout, context)
        case .body: break
        case .end: read(within: nil, context)
        }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let next = context.channel.isWritable ? nil : close(after: limits.writeTimeout, context)
        state.withLock { swap(&$0.writing, next) }?.cancel()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { lose() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        lose()
        context.fireChannelInactive()
    }

    // MARK: Timers

    private func read(within timeout: Duration?, _ context: ChannelHandlerContext) {
        let next = timeout.map { close(after: $0, context) }
        state.withLock { swap(&$0.reading, next) }?.cancel()
    }

    private func close(after timeout: Duration, _ context: ChannelHandlerContext) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: TimeAmount(timeout)) { channel.close(promise: nil) }
    }

    private func lose() {
        let (action, timers) = state.withLock { state in
            defer { (state.whenLost, state.reading, state.writing) = (nil, nil, nil) }
            state.isLost = true
            return (state.whenLost, [state.reading, state.writing])
        }
        for timer in timers { timer?.cancel() }
        action?()
    }
}

/// Puts `next` in the place of `value`, which it returns.
private func swap(_ value: inout Scheduled<Void>?, _ next: Scheduled<Void>?) -> Scheduled<Void>? {
    defer { value = next }
    return value
}
