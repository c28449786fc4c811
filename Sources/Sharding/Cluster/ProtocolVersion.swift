/// The versions that two programs compare at hello.
package struct ProtocolVersion: Hashable, Sendable, CustomStringConvertible {
    /// Programs work together when their protocol numbers are equal.
    package var number: UInt32
    /// The program's own version, for people: `0.1.0`.
    package var program: String

    package static let current = ProtocolVersion(number: 3, program: ShardVersion.current)

    package init(number: UInt32, program: String) {
        self.number = number
        self.program = program
    }

    package var description: String { "protocol \(number) (program \(program))" }
}
