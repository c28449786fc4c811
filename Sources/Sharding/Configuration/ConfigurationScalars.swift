import Foundation

/// The spellings of single values in configuration files and arguments; each returns nil for what it cannot read.
package enum ConfigurationScalar {
    /// `100ms`, `2s`, `1.5s`, `5m`, `1h`; never negative, at most 24 hours.
    package static func duration(_ text: String) -> Duration? {
        let nanosecondsByUnit = ["us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "min": 60e9, "h": 3600e9]
        guard let (number, unit) = numberAndUnit(text), let factor = nanosecondsByUnit[unit] else { return nil }
        let nanoseconds = number * factor
        guard nanoseconds <= 24 * 3600e9 else { return nil }
        return .nanoseconds(Int64(nanoseconds.rounded()))
    }

    /// `512MiB`, `20GiB`, `1.5TiB`, `20GB`, or plain bytes; never negative, at most 2^60.
    package static func bytes(_ text: String) -> Int? {
        let bytesByUnit: [String: Double] = [
            "": 1, "b": 1, "kib": 0x1p10, "mib": 0x1p20, "gib": 0x1p30, "tib": 0x1p40, "kb": 1e3, "mb": 1e6,
            "gb": 1e9, "tb": 1e12,
        ]
        guard let (number, unit) = numberAndUnit(text), let factor = bytesByUnit[unit.lowercased()] else { return nil }
        let bytes = number * factor
        guard bytes <= 0x1p60, bytes == bytes.rounded() || factor > 1 else { return nil }
        return Int(bytes.rounded())
    }

    /// `0`, `0-3`, `0,2-3`: CPU numbers, ascending, none twice, below 1024.
    package static func cpus(_ text: String) -> [Int]? {
        guard let ranges = ranges(text[...], upperBoundMax: 1024) else { return nil }
        let cpus = ranges.flatMap(Array.init)
        return Set(cpus).count == cpus.count ? cpus.sorted() : nil
    }

    /// `20-31`, `7`, `0-3,8-11`, `28-31,head`, `head`.
    package static func layers(_ text: String) -> LayerSelection? {
        var parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let heads = parts.count { $0.trimmed == "head" }
        guard heads <= 1 else { return nil }
        parts.removeAll { $0.trimmed == "head" }
        if parts.isEmpty { return LayerSelection(ranges: [], includesHead: true) }
        guard let ranges = ranges(Substring(parts.joined(separator: ",")), upperBoundMax: 1 << 20) else { return nil }
        var merged: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard let last = merged.last, range.lowerBound <= last.upperBound else {
                merged.append(range)
                continue
            }
            guard range.lowerBound == last.upperBound else { return nil }
            merged[merged.count - 1] = last.lowerBound..<range.upperBound
        }
        return LayerSelection(ranges: merged, includesHead: heads == 1)
    }

    private static func ranges(_ text: Substring, upperBoundMax: Int) -> [Range<Int>]? {
        var ranges: [Range<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(\.trimmed)
            guard ends.count <= 2, ends.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
                let first = Int(ends[0]), let last = Int(ends[ends.count - 1]), first <= last, last < upperBoundMax
            else { return nil }
            ranges.append(first..<last + 1)
        }
        return ranges
    }

    private static func numberAndUnit(_ text: String) -> (Double, String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard digits.first?.isNumber == true, let number = Double(digits), number.isFinite else { return nil }
        return (number, text.dropFirst(digits.count).trimmed)
    }
}

extension Substring {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}

/// The known word that `word` was most likely meant to be; nil where none is near.
package func nearestWord(to word: String, among known: some Sequence<String>) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let lowered = word.lowercased().replacing("-", with: "_")
    let candidates = known.map { (word: $0, distance: editDistance(lowered, $0.lowercased())) }
    guard let best = candidates.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else { return nil }
    return best.distance <= max(1, min(3, best.word.count / 3)) ? best.word : nil
}

/// Insertions, deletions and substitutions that turn one word into the other (Levenshtein 1966).
private func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right.unicodeScalars)
    var row = Array(0...right.count)
    for (i, leftScalar) in left.unicodeScalars.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, rightScalar) in right.enumerated() {
            let substitution = diagonal + (leftScalar == rightScalar ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, diagonal + 1)
        }
    }
    return row[right.count]
}
