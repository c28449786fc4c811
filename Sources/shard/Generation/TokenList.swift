import ArgumentParser
import Sharding

/// Token ids as an argument: `1,2,3`.
struct TokenList: ExpressibleByArgument, Sendable {
    var ids: [TokenID]

    init?(argument: String) {
        var ids: [TokenID] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let id = TokenID(part.drop { $0 == " " }), id >= 0 else { return nil }
            ids.append(id)
        }
        self.ids = ids
    }
}
