import Foundation
import ZeroMQ

/// Keys of both ends for one run; the other processes read them from a file.
struct BenchmarkKeys {
    let server: CurveKeyPair
    let client: CurveKeyPair

    /// Makes them, and the file.
    static func make(at path: String) throws {
        let secrets = try [CurveKeyPair.generate(), .generate()].map(\.secretKey.secretText)
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(secrets.joined(separator: "\n").utf8),
                attributes: [.posixPermissions: 0o600])
        else { throw BenchmarkError("\(path): cannot be written") }
    }

    /// nil without a path: in clear.
    init?(_ path: String?) throws {
        guard let path else { return nil }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let pairs = try lines.map { line in
            guard let secret = CurveSecretKey(String(line)) else { throw BenchmarkError("\(path): no key") }
            return try CurveKeyPair(secret: secret)
        }
        guard pairs.count == 2 else { throw BenchmarkError("\(path): expected 2 keys, got \(pairs.count)") }
        (server, client) = (pairs[0], pairs[1])
    }

    /// Lets the client in; the admission must live as long as the context's sockets.
    func admit(in context: Context, to domain: AdmissionDomain) throws -> Admission {
        let admission = try Admission(in: context)
        admission.allow([client.publicKey], in: domain)
        return admission
    }
}

extension SocketOptions {
    /// Of the end that binds.
    func serving(_ keys: BenchmarkKeys?, _ domain: AdmissionDomain) -> SocketOptions {
        var options = self
        if let keys { options.security = .server(keys.server, domain: domain) }
        return options
    }

    /// Of the end that connects.
    func asking(_ keys: BenchmarkKeys?) -> SocketOptions {
        var options = self
        if let keys { options.security = .client(keys.client, server: keys.server.publicKey) }
        return options
    }
}
