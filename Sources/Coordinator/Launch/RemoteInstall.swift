import Foundation
import Sharding
import Subprocess

/// Puts the programs onto other machines over ssh: the tarball that `scripts/package` makes, checked there by its hash.
///
/// It lies under the user's data folder, in a folder named for its hash, so a second time nothing is sent.
package struct RemoteInstall: Sendable {
    /// Programs are some tens of MiB.
    private static let tarballBytesMax = 1 << 30

    private let tarball: [UInt8]
    private let hash: FileHash
    /// `shard-0.1.0-linux-x86_64`: the folder inside the tarball, and what stands before `.tar.gz` in its name.
    private let name: String
    private let architecture: String

    /// Reads the tarball, and checks it against the hash beside it. Not on the cooperative pool.
    package init(tarball path: String) throws(CoordinatorError) {
        let file = (path as NSString).lastPathComponent
        guard file.hasSuffix(".tar.gz"), let mark = file.range(of: "-linux-"), file.allSatisfy(Self.isPlain) else {
            throw Self.problem(path, "expected shard-VERSION-linux-ARCHITECTURE.tar.gz, as scripts/package makes it")
        }
        name = String(file.dropLast(7))
        architecture = String(file[mark.upperBound...].dropLast(7))
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.tarballBytesMax else {
            throw Self.problem(path, "expected a readable file; make it with scripts/package")
        }
        tarball = Array(data)
        hash = tarball.withUnsafeBytes { FileHash(of: $0) }
        guard let sums = FileManager.default.contents(atPath: path + ".sha256"), sums.count <= 4096 else {
            throw Self.problem(path, "expected \(file).sha256 beside it, as scripts/package makes it, found none")
        }
        guard String(decoding: sums, as: UTF8.self).hasPrefix(hash.description) else {
            throw Self.problem(path, "sha256: expected the one in \(file).sha256, got \(hash); make both anew")
        }
    }

    /// The path of `shard-worker` on the machine that ssh reaches as `target`, where it is from now on.
    package func install(on target: String) async throws(CoordinatorError) -> String {
        if let path = try await run(Self.lookup, on: target, sending: []) { return path }
        guard let path = try await run(Self.unpack, on: target, sending: tarball) else {
            throw CoordinatorError(.failed, "--install: \(target): expected the path of shard-worker, got none")
        }
        return path
    }

    /// nil where the script says that there is none yet.
    private func run(_ script: String, on target: String, sending input: [UInt8]) async throws(CoordinatorError)
        -> String?
    {
        let words = ["sh", "-c", script, "sh", hash.description, name, architecture].map(WorkerProgram.quoted)
        let output: (status: TerminationStatus, text: String, errors: String)
        do {
            let result = try await Subprocess.run(
                .name("ssh"),
                arguments: Arguments(WorkerProgram.sshOptions + ["-T", target, "--", words.joined(separator: " ")]),
                input: .array(input), output: .string(limit: 4096), error: .string(limit: 4096))
            output = (result.terminationStatus, result.standardOutput, result.standardError)
        } catch {
            throw CoordinatorError(.failed, "--install: \(target): \(error)", cause: error)
        }
        guard case .exited(0) = output.status else {
            let lines = (output.text + output.errors).split(whereSeparator: \.isNewline).suffix(3)
            throw CoordinatorError(.failed, "--install: \(target): \(lines.joined(separator: "; ")) (\(output.status))")
        }
        let path = output.text.trimmingCharacters(in: .whitespacesAndNewlines)
        return path.isEmpty ? nil : path
    }

    // Arguments: hash, name, architecture. What they print is the path.
    private static let lookup = """
        p="${XDG_DATA_HOME:-$HOME/.local/share}/shard/$1/$2/shard-worker"
        if [ -x "$p" ]; then echo "$p"; fi
        """
    private static let unpack = """
        set -e
        if [ "$(uname -m)" != "$3" ]; then
            cat > /dev/null
            echo "expected a machine of $3, got $(uname -m)"
            exit 1
        fi
        d="${XDG_DATA_HOME:-$HOME/.local/share}/shard/$1"
        mkdir -p "$d"
        f="$d/package.$$"
        n="$d/new.$$"
        trap 'rm -rf "$f" "$n"' EXIT
        cat > "$f"
        got=$(sha256sum < "$f")
        if [ "${got%% *}" != "$1" ]; then echo "sha256: expected $1, got ${got%% *}"; exit 1; fi
        mkdir "$n"
        tar -xzf "$f" -C "$n"
        rm -rf "$d/$2"
        mv "$n/$2" "$d/$2"
        echo "$d/$2/shard-worker"
        """

    private static func isPlain(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "._-+".contains(character))
    }

    private static func problem(_ path: String, _ message: String) -> CoordinatorError {
        CoordinatorError(.configuration, "--install: \(path): \(message)")
    }
}
