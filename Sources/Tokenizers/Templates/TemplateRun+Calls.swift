extension TemplateRun {
    static let functions: Set<String> = ["range", "namespace", "dict", "raise_exception", "strftime_now"]

    func call(_ callee: TemplateExpression, _ arguments: TemplateArguments) throws(TokenizerError) -> JinjaValue {
        if case .attribute(let target, let name) = callee.kind {
            let receiver = try evaluate(target)
            let method = try attribute(name, of: receiver)
            if case .handle(.method) = method {
                let values = try evaluated(arguments)
                line = callee.line
                return try call(method: name, of: receiver, values)
            }
            if method.isUndefined { throw refusal(of: name, on: receiver) }
            return try call(value: method, evaluated(arguments), line: callee.line)
        }
        return try call(value: evaluate(callee), evaluated(arguments), line: callee.line)
    }

    private func call(value: JinjaValue, _ arguments: TemplateValues, line: Int) throws(TokenizerError) -> JinjaValue {
        self.line = line
        switch value {
        case .handle(.macro(let place)): return .string(try call(macro: place, arguments, caller: nil))
        case .handle(.function(let name)): return try call(function: name, arguments)
        case .handle(.loop): throw unsupported("recursive loops are not supported")
        case .handle(.method(let name)): throw unsupported("the method \(name) can only be called where it is named")
        case .undefined(let what): throw error("cannot call: \(what)")
        default: throw error("\(value.typeName) cannot be called")
        }
    }

    /// What a macro writes.
    func call(macro place: Int, _ arguments: TemplateValues, caller: JinjaValue?) throws(TokenizerError) -> String {
        let (macro, definedIn) = macros[place]
        let inner = TemplateScope(parent: definedIn)
        guard arguments.positional.count <= macro.parameters.count else {
            throw error(
                "macro \(TokenizerError.quoted(macro.name)) takes \(macro.parameters.count) arguments, got "
                    + "\(arguments.positional.count)")
        }
        for (name, _) in arguments.named where !macro.parameters.contains(where: { $0.name == name }) {
            guard name == "caller" else {
                throw error(
                    "macro \(TokenizerError.quoted(macro.name)) has no parameter \(TokenizerError.quoted(name))")
            }
        }
        return try nested { () throws(TokenizerError) in
            try capture { () throws(TokenizerError) in
                try inScope(inner) { () throws(TokenizerError) in
                    for (index, parameter) in macro.parameters.enumerated() {
                        let missing = JinjaValue.undefined(
                            "parameter \(TokenizerError.quoted(parameter.name)) was not provided")
                        var value = arguments.value(index, parameter.name) ?? missing
                        if value.isUndefined, let standard = parameter.standard { value = try evaluate(standard) }
                        inner.set(parameter.name, value)
                    }
                    if let caller { inner.set("caller", caller) }
                    _ = try run(macro.body)
                }
            }
        }
    }

    private func call(function name: String, _ arguments: TemplateValues) throws(TokenizerError) -> JinjaValue {
        switch name {
        case "range": return try range(arguments.positional)
        case "namespace", "dict":
            var map = JinjaMap()
            if case .map(let start)? = arguments.positional.first { map = start }
            for (name, value) in arguments.named { map[name] = value }
            if name == "dict" { return try made(.map(map)) }
            namespaces.append(map)
            return .handle(.namespace(namespaces.count - 1))
        case "raise_exception":
            let message = try text(of: arguments.positional.first ?? .none)
            throw TokenizerError(.raised, "\(self.name): line \(line)", message)
        default:
            guard case .string(let format)? = arguments.positional.first else {
                throw error("`strftime_now` takes a format")
            }
            return .string(now.formatted(format))
        }
    }

    private func range(_ arguments: [JinjaValue]) throws(TokenizerError) -> JinjaValue {
        var bounds: [Int] = []
        for argument in arguments {
            guard let bound = argument.asInteger else {
                throw error("`range` takes integers, got \(argument.typeName)")
            }
            bounds.append(bound)
        }
        guard (1...3).contains(bounds.count) else { throw error("`range` takes 1 to 3 integers, got \(bounds.count)") }
        let start = bounds.count == 1 ? 0 : bounds[0]
        let end = bounds.count == 1 ? bounds[0] : bounds[1]
        let step = bounds.count == 3 ? bounds[2] : 1
        guard step != 0 else { throw error("the step of a `range` is zero") }
        var values: [JinjaValue] = []
        for value in stride(from: start, to: end, by: step) {
            guard values.count < limits.rangeCountMax else {
                throw error("a `range` of more than \(limits.rangeCountMax) numbers")
            }
            values.append(.integer(value))
        }
        try charge(values.count)
        return .list(values)
    }

    // MARK: Methods

    static let mapMethods: Set<String> = ["get", "items", "keys", "values", "copy"]
    static let listMethods: Set<String> = ["index", "count", "copy"]
    /// Methods that would change their object; the sandbox in which templates are written to run refuses them too.
    private static let changing: Set<String> = [
        "append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort", "update", "setdefault", "popitem",
    ]

    private func call(
        method name: String, of receiver: JinjaValue, _ arguments: TemplateValues
    ) throws(TokenizerError) -> JinjaValue {
        switch receiver {
        case .string(let text): return try call(textMethod: name, of: text, arguments)
        case .map(let map): return try call(mapMethod: name, of: map, arguments)
        case .list(let list): return try call(listMethod: name, of: list, arguments)
        case .handle(.loop(let place)): return try call(loopMethod: name, of: place, arguments)
        default: throw error("\(receiver.typeName) has no method \(TokenizerError.quoted(name))")
        }
    }

    private func call(
        mapMethod name: String, of map: JinjaMap, _ arguments: TemplateValues
    ) throws(TokenizerError) -> JinjaValue {
        try charge(map.count)
        switch name {
        case "get":
            guard let key = arguments.positional.first else { throw error("`get` takes a key") }
            return JinjaMap.Key(key).flatMap { map.value($0) } ?? arguments.value(1, "default") ?? .none
        case "keys": return .list(map.keys)
        case "values": return .list(map.values)
        case "copy": return .map(map)
        default: return .list(zip(map.keys, map.values).map { .tuple([$0, $1]) })
        }
    }

    private func call(
        listMethod name: String, of list: JinjaList, _ arguments: TemplateValues
    ) throws(TokenizerError) -> JinjaValue {
        if name == "copy" { return .list(list) }
        guard let value = arguments.positional.first else { throw error("`\(name)` takes a value") }
        var count = 0
        for (place, item) in list.items.enumerated() where try isEqual(item, value) {
            if name == "index" { return .integer(place) }
            count += 1
        }
        guard name == "count" else { throw error("the list does not hold the value") }
        return .integer(count)
    }

    private func call(
        loopMethod name: String, of place: Int, _ arguments: TemplateValues
    ) throws(TokenizerError) -> JinjaValue {
        let values = arguments.positional
        if name == "cycle" {
            guard !values.isEmpty else { throw error("`cycle` takes values") }
            return values[loops[place].index % values.count]
        }
        let last = loops[place].lastChanged
        loops[place].lastChanged = values
        guard let last else { return .bool(true) }
        return .bool(try !isEqual(.list(last), .list(values)))
    }

    /// Why a name after a dot cannot be called.
    private func refusal(of name: String, on value: JinjaValue) -> TokenizerError {
        Self.changing.contains(name)
            ? error("`\(name)` would change \(value.typeName)", hint: "build a new one, or use a namespace")
            : error("\(value.typeName) has no attribute \(TokenizerError.quoted(name))")
    }
}
