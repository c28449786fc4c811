#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A moment on the wall clock, for `strftime_now`.
package struct TemplateTime: Sendable, Hashable {
    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var microsecond = 0

    package init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The local time now.
    package static func current() -> TemplateTime {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        localtime_r(&now.tv_sec, &parts)
        var time = TemplateTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
        time.microsecond = now.tv_nsec / 1000
        return time
    }

    /// Reads ISO 8601: `2025-03-14`, `2025-03-14T15:09`, `2025-03-14T15:09:26`, with a fraction or a zone, which is left out.
    package init?(iso8601 text: String) {
        let halves = text.split(omittingEmptySubsequences: false) { $0 == "T" || $0 == " " }
        guard (1...2).contains(halves.count) else { return nil }
        let date = halves[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard date.count == 3, let year = date[0], let month = date[1], let day = date[2] else { return nil }
        self.init(year: year, month: month, day: day)
        if halves.count == 2 {
            let clock = halves[1].prefix { $0.isNumber || $0 == ":" || $0 == "." }
            let parts = clock.split(separator: ":")
            guard (2...3).contains(parts.count), let hour = Int(parts[0]), let minute = Int(parts[1]) else {
                return nil
            }
            self.hour = hour
            self.minute = minute
            if parts.count == 3 {
                let seconds = parts[2].split(separator: ".")
                guard let second = seconds.first.flatMap({ Int($0) }) else { return nil }
                self.second = second
                if seconds.count == 2 {
                    let digits = (seconds[1] + "000000").prefix(6)
                    microsecond = Int(digits) ?? 0
                }
            }
        }
        guard (1...9999).contains(self.year), (1...12).contains(self.month), (1...31).contains(self.day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// From 0, Sunday (Sakamoto's congruence).
    private var weekday: Int {
        let offsets = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
        let year = month < 3 ? year - 1 : year
        return (year + year / 4 - year / 100 + year / 400 + offsets[month - 1] + day) % 7
    }

    private var dayOfYear: Int {
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1]
        return before + day + (isLeap && month > 2 ? 1 : 0)
    }

    /// The time by a `strftime` format, in English; directives that are not known stay as they are.
    package func formatted(_ format: String) -> String {
        var result = ""
        var rest = format.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%", var directive = rest.popFirst() else {
                result.unicodeScalars.append(scalar)
                continue
            }
            let isUnpadded = directive == "-"
            if isUnpadded, let next = rest.popFirst() { directive = next }
            if let text = field(directive, isUnpadded: isUnpadded) {
                result += text
            } else {
                result += isUnpadded ? "%-" : "%"
                result.unicodeScalars.append(directive)
            }
        }
        return result
    }

    private func field(_ directive: Unicode.Scalar, isUnpadded: Bool) -> String? {
        func number(_ value: Int, _ width: Int, _ fill: Character = "0") -> String {
            let digits = "\(value)"
            return isUnpadded ? digits : String(repeating: fill, count: max(width - digits.count, 0)) + digits
        }
        let hour12 = hour % 12 == 0 ? 12 : hour % 12
        switch directive {
        case "Y": return number(year, 4)
        case "y": return number(year % 100, 2)
        case "C": return number(year / 100, 2)
        case "m": return number(month, 2)
        case "B": return Self.months[month - 1]
        case "b", "h": return String(Self.months[month - 1].prefix(3))
        case "d": return number(day, 2)
        case "e": return number(day, 2, " ")
        case "j": return number(dayOfYear, 3)
        case "A": return Self.days[weekday]
        case "a": return String(Self.days[weekday].prefix(3))
        case "w": return "\(weekday)"
        case "u": return "\(weekday == 0 ? 7 : weekday)"
        case "H": return number(hour, 2)
        case "I": return number(hour12, 2)
        case "k": return number(hour, 2, " ")
        case "l": return number(hour12, 2, " ")
        case "M": return number(minute, 2)
        case "S": return number(second, 2)
        case "f": return number(microsecond, 6)
        case "p": return hour < 12 ? "AM" : "PM"
        case "P": return hour < 12 ? "am" : "pm"
        case "F": return formatted("%Y-%m-%d")
        case "T", "X": return formatted("%H:%M:%S")
        case "R": return formatted("%H:%M")
        case "r": return formatted("%I:%M:%S %p")
        case "D", "x": return formatted("%m/%d/%y")
        case "c": return formatted("%a %b %e %H:%M:%S %Y")
        case "z", "Z": return ""
        case "n": return "\n"
        case "t": return "\t"
        case "%": return "%"
        default: return nil
        }
    }
}
