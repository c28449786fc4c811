import ArgumentParser
import Sharding

/// Bytes as an argument: `2GiB`, `512MiB`, `4000000000`.
package struct ByteCount: ExpressibleByArgument {
    package let bytes: Int

    package init?(argument: String) {
        guard let bytes = ConfigurationScalar.bytes(argument), bytes > 0 else { return nil }
        self.bytes = bytes
    }
}
