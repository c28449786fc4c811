import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Serving
import Terminal

/// Asks a running coordinator how it does.
final class ClusterReader: Sendable {
    /// Why there is no reading, in one line.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// Trying again does not help: another address, or a key, is needed.
        let isLasting: Bool
    }

    private static let bytesMax = 16 << 20
    private static let timeout = TimeAmount.seconds(5)

    /// Without a path.
    let url: String
    private let key: String?
    private let client: HTTPClient

    /// - Parameters:
    ///   - url: `http://127.0.0.1:8080`.
    ///   - authority: a file of certificates that the server's is checked against, in place of the system's.
    init(url text: String, key: String?, authority: String?) throws {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, ["http", "https"].contains(scheme),
            let host = parts.host, !host.isEmpty, parts.query == nil, parts.fragment == nil, parts.user == nil,
            ["", "/"].contains(parts.path)
        else {
            throw ProgramError(.configuration, "--url: expected one such as http://127.0.0.1:8080, got \(text)")
        }
        url = text.hasSuffix("/") ? String(text.dropLast()) : text
        self.key = key
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: Self.timeout, read: Self.timeout))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        if let authority {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates(try Self.certificates(authority))
            configuration.tlsConfiguration = tls
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func certificates(_ path: String) throws -> [NIOSSLCertificate] {
        do {
            return try NIOSSLCertificate.fromPEMFile(path)
        } catch {
            throw ProgramError(
                .configuration, "--ca: \(path): expected certificates in PEM, got something else: \(error)")
        }
    }

    func shutdown() async { try? await client.shutdown() }

    func read() async throws(Failure) -> ClusterBody {
        let (status, bytes) = try await ask()
        switch status {
        case 200: break
        case 401, 403:
            throw Failure(
                description: "\(url): expected a key of this server, got \(key == nil ? "none" : "another"); give it "
                    + "with --api-key-file or SHARD_API_KEY", isLasting: true)
        case 404:
            throw Failure(description: "\(url): has no /v1/cluster; is it a shard-coordinator?", isLasting: true)
        default:
            throw Failure(description: "\(url): expected status 200, got \(status)", isLasting: false)
        }
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(ClusterBody.self, from: bytes)
        } catch {
            throw Failure(
                description: "\(url): /v1/cluster: expected what this version writes, got something else; use the "
                    + "shard-coordinator of the same version", isLasting: true)
        }
    }

    private func ask() async throws(Failure) -> (status: UInt, bytes: Data) {
        do {
            var request = HTTPClientRequest(url: url + "/v1/cluster")
            request.headers.add(name: "User-Agent", value: "shard-top")
            if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
            let response = try await client.execute(request, timeout: Self.timeout)
            let body = try await response.body.collect(upTo: Self.bytesMax)
            return (response.status.code, Data(body.readableBytesView))
        } catch {
            throw Failure(description: "\(url): no answer: \(Self.reason(error))", isLasting: false)
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) } ?? "its name is unknown"
        case let error as HTTPClientError: error.shortDescription
        case is NIOTooManyBytesError: "it is longer than \(bytesMax >> 20) MiB"
        default: "\(error)"
        }
    }
}
