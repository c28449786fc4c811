import ModelFiles

/// Arguments of a call, as values.
struct TemplateValues {
    var positional: [JinjaValue] = []
    var named: [(String, JinjaValue)] = []

    /// An argument by its place, else by its name.
    func value(_ place: Int, _ name: String) -> JinjaValue? {
        if place < positional.count { return positional[place] }
        return named.first { $0.0 == name }?.1
    }
}

extension TemplateRun {
    func evaluate(_ expression: TemplateExpression) throws(TokenizerError) -> JinjaValue {
        try charge()
        line = expression.line
        return try nested { () throws(TokenizerError) in try evaluate(expression.kind) }
    }

    private func evaluate(_ kind: TemplateExpression.Kind) throws(TokenizerError) -> JinjaValue {
        switch kind {
        case .literal(let value): return value
        case .name(let name): return lookUp(name)
        case .list(let items, let isTuple): return try list(items, isTuple)
        case .map(let items): return try map(items)
        case .attribute(let value, let name): return try attribute(name, of: evaluate(value))
        case .item(let value, let key): return try item(evaluate(key), of: evaluate(value))
        case .slice(let value, let start, let end, let step): return try slice(value, start, end, step)
        case .call(let callee, let arguments): return try call(callee, arguments)
        case .filter(let value, let name, let arguments):
            // `default` is where an undefined value is expected.
            return try filter(name, evaluate(value), evaluated(arguments))
        case .test(let value, let name, let arguments, let isNegated):
            return .bool(try test(name, evaluate(value), evaluated(arguments)) != isNegated)
        case .not(let value): return .bool(try !evaluate(value).isTrue)
        case .negative(let value): return try negative(evaluate(value))
        case .positive(let value): return try positive(evaluate(value))
        case .binary(let operation, let left, let right):
            return try apply(operation, evaluate(left), evaluate(right))
        case .compare(let first, let rest): return try compare(first, rest)
        case .concatenation(let parts): return try concatenate(parts)
        case .and(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? value : try evaluate(right)
        case .conditional(let value, let condition, let alternative):
            if try evaluate(condition).isTrue { return try evaluate(value) }
            guard let alternative else { return .undefined("the condition is false and there is no `else`") }
            return try evaluate(alternative)
        }
    }

    private func lookUp(_ name: String) -> JinjaValue {
        if let value = scope.value(name) { return value }
        if Self.functions.contains(name) { return .handle(.function(name)) }
        return .undefined("\(TokenizerError.quoted(name)) is undefined")
    }

    private func list(_ items: [TemplateExpression], _ isTuple: Bool) throws(TokenizerError) -> JinjaValue {
        var values: [JinjaValue] = []
        for item in items { values.append(try evaluate(item)) }
        return try made(.list(JinjaList(values, isTuple: isTuple)))
    }

    private func map(_ items: [(TemplateExpression, TemplateExpression)]) throws(TokenizerError) -> JinjaValue {
        var map = JinjaMap()
        for (key, value) in items {
            let key = try evaluate(key)
            guard let mapKey = JinjaMap.Key(key) else { throw error("\(key.typeName) cannot be a key") }
            map.set(mapKey, key, try evaluate(value))
        }
        return try made(.map(map))
    }

    private func concatenate(_ parts: [TemplateExpression]) throws(TokenizerError) -> JinjaValue {
        var text = ""
        for part in parts {
            text += try self.text(of: evaluate(part))
            try charge(bytes: text.utf8.count)
        }
        return .string(text)
    }

    func evaluated(_ arguments: TemplateArguments) throws(TokenizerError) -> TemplateValues {
        var values = TemplateValues()
        for argument in arguments.positional { values.positional.append(try evaluate(argument)) }
        for (name, argument) in arguments.named { values.named.append((name, try evaluate(argument))) }
        return values
    }

    // MARK: Parts of values

    /// `value.name`: a method's name first, then a key.
    func attribute(_ name: String, of value: JinjaValue) throws(TokenizerError) -> JinjaValue {
        switch value {
        case .undefined(let what): throw error(what)
        case .map(let map):
            if Self.mapMethods.contains(name) { return .handle(.method(name)) }
            return map[name] ?? .undefined("the mapping has no key \(TokenizerError.quoted(name))")
        case .handle(.namespace(let place)):
            return namespaces[place][name] ?? .undefined("the namespace has no \(TokenizerError.quoted(name))")
        case .handle(.loop(let place)):
            guard place < loops.count else { throw error("`loop` used after its loop") }
            return loops[place].value(name) ?? .undefined("`loop` has no \(TokenizerError.quoted(name))")
        case .handle(.macro(let place)) where name == "name": return .string(macros[place].macro.name)
        case .string where Self.textMethods.contains(name), .list where Self.listMethods.contains(name):
            return .handle(.method(name))
        default: return .undefined("\(value.typeName) has no attribute \(TokenizerError.quoted(name))")
        }
    }

    /// `value[key]`.
    func item(_ key: JinjaValue, of value: JinjaValue) throws(TokenizerError) -> JinjaValue {
        switch (value, key) {
        case (.undefined(let what), _): throw error(what)
        case (.map(let map), _):
            if let mapKey = JinjaMap.Key(key), let value = map.value(mapKey) { return value }
            if case .string(let name) = key { return try attribute(name, of: value) }
            return .undefined("the mapping has no such key")
        case (.list(let list), _) where key.asInteger != nil:
            guard let place = Self.place(key.asInteger ?? 0, in: list.items.count) else {
                return .undefined("the list has no item \(key.asInteger ?? 0)")
            }
            return list.items[place]
        case (.string(let text), _) where key.asInteger != nil:
            let scalars = Array(text.unicodeScalars)
            try charge(scalars.count / 64)
            guard let place = Self.place(key.asInteger ?? 0, in: scalars.count) else {
                return .undefined("the string has no character \(key.asInteger ?? 0)")
            }
            return .string(String(Character(scalars[place])))
        case (_, .string(let name)): return try attribute(name, of: value)
        default: return .undefined("\(value.typeName) has no item by \(key.typeName)")
        }
    }

    /// A Python index, which counts from the end when negative.
    private static func place(_ index: Int, in count: Int) -> Int? {
        let place = index < 0 ? index &+ count : index
        return place >= 0 && place < count ? place : nil
    }

    private func slice(
        _ value: TemplateExpression, _ start: TemplateExpression?, _ end: TemplateExpression?,
        _ step: TemplateExpression?
    ) throws(TokenizerError) -> JinjaValue {
        let value = try evaluate(value)
        var bounds: [Int?] = []
        for bound in [start, end, step] {
            let value = try bound.map { (bound) throws(TokenizerError) in try evaluate(bound) } ?? .none
            guard value.asInteger != nil || !value.isTrue else {
                throw error("a slice takes integers, got \(value.typeName)")
            }
            bounds.append(value.asInteger)
        }
        guard bounds[2] != 0 else { throw error("the step of a slice is zero") }
        switch value {
        case .list(let list):
            let places = Self.places(bounds, count: list.items.count)
            try charge(places.count)
            return .list(JinjaList(places.map { list.items[$0] }, isTuple: list.isTuple))
        case .string(let text):
            let scalars = Array(text.unicodeScalars)
            try charge(scalars.count / 16)
            var result = String.UnicodeScalarView()
            result.append(contentsOf: Self.places(bounds, count: scalars.count).map { scalars[$0] })
            return .string(String(result))
        case .undefined(let what): throw error(what)
        default: throw error("\(value.typeName) cannot be sliced")
        }
    }

    /// Python's slices; `bounds` are start, end and step.
    private static func places(_ bounds: [Int?], count: Int) -> [Int] {
        let step = bounds[2] ?? 1
        func clamp(_ bound: Int, _ lower: Int, _ upper: Int) -> Int {
            let bound = bound < 0 ? bound &+ count : bound
            return min(max(bound, lower), upper)
        }
        if step > 0 {
            let start = bounds[0].map { clamp($0, 0, count) } ?? 0
            let end = bounds[1].map { clamp($0, 0, count) } ?? count
            return start < end ? Array(stride(from: start, to: end, by: step)) : []
        }
        let start = bounds[0].map { clamp($0, -1, count - 1) } ?? count - 1
        let end = bounds[1].map { clamp($0, -1, count - 1) } ?? -1
        return start > end ? Array(stride(from: start, to: end, by: step)) : []
    }

    /// What a loop goes through.
    func items(of value: JinjaValue) throws(TokenizerError) -> [JinjaValue] {
        switch value {
        case .undefined: return []
        case .list(let list):
            try charge(list.items.count)
            return list.items
        case .map(let map):
            try charge(map.count)
            return map.keys
        case .string(let text):
            try charge(text.utf8.count)
            return text.unicodeScalars.map { .string(String(Character($0))) }
        default: throw error("\(value.typeName) cannot be gone through")
        }
    }
}
