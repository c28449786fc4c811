import Sharding
import Synchronization

/// Who may use the API now, and how much each of them asks at the moment.
package final class APIAccess: Sendable {
    private struct State {
        var keys: APIKeys
        /// Requests that are being answered, by the key's name; absent for none.
        var running: [String: Int] = [:]
    }

    private let state: Mutex<State>

    package init(_ keys: APIKeys) { state = Mutex(State(keys: keys)) }

    /// Requests that run go on, also those of keys that are gone.
    package func replace(_ keys: APIKeys) { state.withLock { $0.keys = keys } }

    func key(presented secret: String) -> APIKey? { state.withLock { $0.keys }.key(presented: secret) }

    /// - Throws: ``ServingError`` where the key has as many requests as it may have.
    func enter(_ key: APIKey) throws(ServingError) -> APIPlace {
        let isFree = state.withLock { state in
            let count = state.running[key.name, default: 0]
            guard key.concurrencyMax.map({ count < $0 }) ?? true else { return false }
            state.running[key.name] = count + 1
            return true
        }
        guard isFree else {
            throw ServingError(
                .overloaded, nil,
                "the key \(key.name) has \(key.concurrencyMax ?? 0) requests at the same time at most, and as many "
                    + "run; try again when one has ended")
        }
        return APIPlace(access: self, name: key.name)
    }

    fileprivate func leave(_ name: String) {
        state.withLock { state in
            let count = state.running[name, default: 0] - 1
            state.running[name] = count > 0 ? count : nil
        }
    }
}

/// A request's place among those that its key may have answered at the same time; free again when it is let go.
final class APIPlace: Sendable {
    private let access: APIAccess
    private let name: String

    fileprivate init(access: APIAccess, name: String) {
        self.access = access
        self.name = name
    }

    deinit { access.leave(name) }
}

/// Whose request it is.
struct APICaller: Sendable {
    let key: APIKey
    let access: APIAccess

    /// Takes one of the key's places.
    func enter() throws(ServingError) -> APIPlace { try access.enter(key) }
}
