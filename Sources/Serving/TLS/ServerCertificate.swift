import Foundation
import NIOSSL
import Sharding
import Synchronization

/// The certificate that new connections are served with; those that stand keep the one that they began with.
package final class ServerCertificate: Sendable {
    private let current: Mutex<NIOSSLContext>

    /// - Parameter time: Unix time in seconds, at which the certificate must be valid.
    /// - Throws: ``ServingError`` that names the file.
    package init(_ files: TLSFiles, at time: Int) throws(ServingError) { current = Mutex(try files.context(at: time)) }

    /// Reads the files again; nothing changes where they cannot be used.
    package func replace(_ files: TLSFiles, at time: Int) throws(ServingError) {
        let next = try files.context(at: time)
        current.withLock { $0 = next }
    }

    var context: NIOSSLContext { current.withLock { $0 } }
}

/// A certificate, with those that vouch for it behind it, and its secret key: PEM files.
package struct TLSFiles: Sendable, Hashable {
    package static let bytesMax = 1 << 20

    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    func context(at time: Int) throws(ServingError) -> NIOSSLContext {
        let chain = try chain(at: time)
        let secret = try secret()
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(secret))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            // Both were read, so what is left is that they do not fit.
            throw ServingError(
                .certificate, key,
                "expected the secret key of the first certificate in \(certificate), got another one")
        }
    }

    private func chain(at time: Int) throws(ServingError) -> [NIOSSLCertificate] {
        let bytes = try read(certificate, as: .open)
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), !chain.isEmpty else {
            throw ServingError(
                .certificate, certificate, "expected certificates in PEM (-----BEGIN CERTIFICATE-----), got none")
        }
        for (index, link) in chain.enumerated() {
            let which = chain.count > 1 ? "certificate \(index + 1) of \(chain.count): " : ""
            guard time <= link.notValidAfter else {
                throw ServingError(
                    .certificate, certificate,
                    "\(which)expected one that is valid now, got one that ended on \(Self.day(link.notValidAfter)); renew it"
                )
            }
            guard time >= link.notValidBefore else {
                throw ServingError(
                    .certificate, certificate,
                    "\(which)expected one that is valid now, got one from \(Self.day(link.notValidBefore)) on; "
                        + "is this machine's clock right?")
            }
        }
        return chain
    }

    private func secret() throws(ServingError) -> NIOSSLPrivateKey {
        let bytes = try read(key, as: .secret)
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw ServingError(
                .certificate, key,
                "expected a secret key in PEM without a passphrase (-----BEGIN PRIVATE KEY-----), got none")
        }
        return key
    }

    private func read(_ path: String, as kind: KeyFileBytes.Kind) throws(ServingError) -> [UInt8] {
        do throws(KeyFileError) {
            return Array(try KeyFileBytes.read(path, as: kind, bytesMax: Self.bytesMax, hint: nil).utf8)
        } catch {
            throw ServingError(.certificate, nil, error.description)
        }
    }

    /// `2026-11-28`, in UTC.
    private static func day(_ time: Int) -> String {
        Date(timeIntervalSince1970: Double(time)).formatted(.iso8601.year().month().day())
    }
}
