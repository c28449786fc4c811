extension TemplateRun {
    static let sequenceFilters: Set<String> = [
        "first", "last", "join", "list", "reverse", "sort", "unique", "map", "select", "reject", "selectattr",
        "rejectattr",
        "min", "max", "sum", "batch", "slice", "groupby",
    ]

    func sequenceFilter(
        _ name: String, _ value: JinjaValue, _ arguments: TemplateValues
    ) throws(TokenizerError) -> JinjaValue {
        if name == "reverse", case .string(let text) = value {
            try charge(bytes: text.utf8.count)
            return .string(String(String.UnicodeScalarView(text.unicodeScalars.reversed())))
        }
        // As in Jinja, these take anything empty for an empty sequence.
        if !value.isTrue, ["map", "select", "reject", "selectattr", "rejectattr"].contains(name) { return .list([]) }
        let items = try items(of: value)
        switch name {
        case "first": return items.first ?? .undefined("the sequence is empty")
        case "last": return items.last ?? .undefined("the sequence is empty")
        case "list": return .list(items)
        case "reverse": return .list(items.reversed())
        case "join":
            let values = try mapped(items, attribute: arguments.value(1, "attribute"))
            return .string(
                try joined(
                    values,
                    separator: arguments.value(0, "d").map { (value) throws(TokenizerError) in try text(of: value) }
                        ?? ""))
        case "sort":
            let keys = try mapped(items, attribute: arguments.value(2, "attribute"))
            let order = try sorted(
                keys, isCaseSensitive: arguments.value(1, "case_sensitive")?.isTrue ?? false,
                isReversed: arguments.value(0, "reverse")?.isTrue ?? false)
            return .list(order.map { items[$0] })
        case "unique": return .list(try unique(items, arguments))
        case "map": return try map(items, arguments)
        case "select", "reject", "selectattr", "rejectattr": return .list(try select(name, items, arguments))
        case "min", "max":
            let keys = try mapped(items, attribute: arguments.value(1, "attribute"))
            let order = try sorted(
                keys, isCaseSensitive: arguments.value(0, "case_sensitive")?.isTrue ?? false, isReversed: false)
            guard let best = name == "min" ? order.first : order.last else {
                return .undefined("the sequence is empty")
            }
            return items[best]
        case "sum":
            var sum = arguments.value(1, "start") ?? .integer(0)
            for item in try mapped(items, attribute: arguments.value(0, "attribute")) {
                sum = try apply(.add, sum, item)
            }
            return sum
        case "groupby": return try grouped(items, arguments)
        default: return try cut(name, items, arguments)
        }
    }

    /// An attribute of each item, by its path with dots; the items themselves without one.
    private func mapped(_ items: [JinjaValue], attribute: JinjaValue?) throws(TokenizerError) -> [JinjaValue] {
        guard let attribute, case .some(let path) = path(attribute) else { return items }
        var values: [JinjaValue] = []
        for item in items { values.append(try follow(path, from: item)) }
        return values
    }

    private func path(_ attribute: JinjaValue) -> [JinjaValue]? {
        switch attribute {
        case .integer: [attribute]
        case .string(let text): TextSearch.split(text, by: ".").map { Int($0).map(JinjaValue.integer) ?? .string($0) }
        default: nil
        }
    }

    private func follow(_ path: [JinjaValue], from value: JinjaValue) throws(TokenizerError) -> JinjaValue {
        var value = value
        for step in path { value = try item(step, of: value) }
        return value
    }

    /// The places of values in their order; equal ones keep theirs.
    func sorted(_ values: [JinjaValue], isCaseSensitive: Bool, isReversed: Bool) throws(TokenizerError) -> [Int] {
        let keys = isCaseSensitive ? values : values.map(Self.withoutCase)
        var order = Array(keys.indices)
        var width = 1
        while width < order.count {
            var merged: [Int] = []
            merged.reserveCapacity(order.count)
            for start in stride(from: 0, to: order.count, by: 2 * width) {
                let middle = min(start + width, order.count)
                let end = min(start + 2 * width, order.count)
                var left = start
                var right = middle
                while left < middle || right < end {
                    var takesRight = left == middle
                    if left < middle, right < end {
                        let (a, b) = (keys[order[left]], keys[order[right]])
                        takesRight = try isReversed ? isLess(a, b) : isLess(b, a)
                    }
                    merged.append(order[takesRight ? right : left])
                    if takesRight { right += 1 } else { left += 1 }
                }
            }
            order = merged
            width *= 2
        }
        return order
    }

    private static func withoutCase(_ value: JinjaValue) -> JinjaValue {
        if case .string(let text) = value { return .string(text.lowercased()) }
        return value
    }

    private func unique(_ items: [JinjaValue], _ arguments: TemplateValues) throws(TokenizerError) -> [JinjaValue] {
        let isCaseSensitive = arguments.value(0, "case_sensitive")?.isTrue ?? false
        let keys = try mapped(items, attribute: arguments.value(1, "attribute"))
        var seen: Set<JinjaMap.Key> = []
        var result: [JinjaValue] = []
        for (item, key) in zip(items, keys) {
            guard let key = JinjaMap.Key(isCaseSensitive ? key : Self.withoutCase(key)) else {
                throw error("`unique` does not take \(key.typeName)")
            }
            if seen.insert(key).inserted { result.append(item) }
        }
        return result
    }

    private func map(_ items: [JinjaValue], _ arguments: TemplateValues) throws(TokenizerError) -> JinjaValue {
        var result: [JinjaValue] = []
        if let attribute = arguments.named.first(where: { $0.0 == "attribute" })?.1 {
            let standard = arguments.named.first { $0.0 == "default" }?.1
            for value in try mapped(items, attribute: attribute) {
                result.append(value.isUndefined ? standard ?? value : value)
            }
        } else {
            let name = try requiredText(arguments.positional.first, "map")
            let rest = TemplateValues(positional: Array(arguments.positional.dropFirst()), named: arguments.named)
            for item in items { result.append(try filter(name, item, rest)) }
        }
        return try made(.list(result))
    }

    private func select(
        _ name: String, _ items: [JinjaValue], _ arguments: TemplateValues
    ) throws(TokenizerError) -> [JinjaValue] {
        let usesAttribute = name.hasSuffix("attr")
        let isSelecting = name.hasPrefix("select")
        var rest = arguments.positional[...]
        var path: [JinjaValue] = []
        if usesAttribute {
            guard let attribute = rest.popFirst(), let steps = self.path(attribute) else {
                throw error("`\(name)` takes an attribute")
            }
            path = steps
        }
        let testName = try rest.popFirst().map { (value) throws(TokenizerError) in try requiredText(value, name) }
        let values = TemplateValues(positional: Array(rest), named: arguments.named)
        var result: [JinjaValue] = []
        for item in items {
            let value = try follow(path, from: item)
            let isTrue =
                try testName.map { (testName) throws(TokenizerError) in try test(testName, value, values) }
                ?? value.isTrue
            if isTrue == isSelecting { result.append(item) }
        }
        return result
    }

    private func grouped(_ items: [JinjaValue], _ arguments: TemplateValues) throws(TokenizerError) -> JinjaValue {
        guard let attribute = arguments.value(0, "attribute") else { throw error("`groupby` takes an attribute") }
        let keys = try mapped(items, attribute: attribute)
        var groups: [(JinjaValue, [JinjaValue])] = []
        for place in try sorted(keys, isCaseSensitive: true, isReversed: false) {
            if let last = groups.last, try isEqual(last.0, keys[place]) {
                groups[groups.count - 1].1.append(items[place])
            } else {
                groups.append((keys[place], [items[place]]))
            }
        }
        return try made(.list(groups.map { .tuple([$0.0, .list($0.1)]) }))
    }

    /// `batch(count)`: rows of `count`; `slice(count)`: `count` columns.
    private func cut(_ name: String, _ items: [JinjaValue], _ arguments: TemplateValues) throws(TokenizerError)
        -> JinjaValue
    {
        guard let count = arguments.positional.first?.asInteger, count > 0, count <= limits.rangeCountMax else {
            throw error("`\(name)` takes a count from 1 to \(limits.rangeCountMax)")
        }
        let filler = arguments.value(1, "fill_with")
        var rows: [[JinjaValue]] = []
        if name == "batch" {
            for start in stride(from: 0, to: items.count, by: count) {
                var row = Array(items[start..<min(start + count, items.count)])
                if let filler { row += Array(repeating: filler, count: count - row.count) }
                rows.append(row)
            }
        } else {
            try charge(count)
            var start = 0
            for column in 0..<count {
                let isLong = column < items.count % count
                let end = start + items.count / count + (isLong ? 1 : 0)
                var row = Array(items[start..<end])
                if let filler, !isLong, items.count % count > 0 { row.append(filler) }
                rows.append(row)
                start = end
            }
        }
        return try made(.list(rows.map(JinjaValue.list)))
    }
}
