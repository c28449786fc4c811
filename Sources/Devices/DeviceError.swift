/// Why a device cannot do what was asked.
package struct DeviceError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// No such device, or it cannot compute in this build.
        case unavailable
        /// A choice that the machine or the build lacks; the message lists what there is.
        case unsupported
        case outOfMemory
        case shapeMismatch
        /// Enqueued work failed.
        case failed
    }

    package let code: Code
    /// Device, tensor type or setting.
    package let place: String
    package let message: String

    package init(_ code: Code, place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    package var description: String { "\(place): \(message)" }
}
