import Sharding
import ZeroMQ

/// Where a connection for steps goes to, and whom it expects there.
package struct LinkTarget: Hashable, Sendable {
    package var endpoint: Endpoint
    package var security: SocketSecurity

    package init(endpoint: Endpoint, security: SocketSecurity) {
        self.endpoint = endpoint
        self.security = security
    }
}
