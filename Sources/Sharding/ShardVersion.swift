/// The version of the programs and of ShardKit; hello messages and `--version` show it.
package enum ShardVersion {
    package static let current = "0.1.0"
}
