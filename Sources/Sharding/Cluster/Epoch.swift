/// The version of a plan. Epochs of a run ascend, and start above the highest that any worker has seen.
///
/// A message of an older epoch is dropped wherever it arrives, which keeps a worker that was given up out.
package struct Epoch: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Below every plan's epoch: nothing was loaded yet.
    package static let none = Epoch(0)

    /// The next one; nil where the numbers end.
    package var next: Epoch? { rawValue == .max ? nil : Epoch(rawValue + 1) }

    package static func < (left: Epoch, right: Epoch) -> Bool { left.rawValue < right.rawValue }
    package var description: String { String(rawValue) }
}
