/// Reads Prometheus' text format 0.0.4 and refuses whatever is not exactly as its description says.
struct PrometheusReader {
    struct Problem: Error, CustomStringConvertible { var description: String }

    struct Sample: Hashable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Family {
        var type: String
        var samples: [Sample] = []
    }

    private(set) var families: [String: Family] = [:]

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Problem(description: "the last line has no end") }
        var helped: String?
        var open: String?
        var series: Set<String> = []
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("# HELP ") {
                let words = line.split(separator: " ", maxSplits: 3)
                guard words.count == 4 else { throw Problem(description: "no help: \(line)") }
                helped = String(words[2])
            } else if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ", omittingEmptySubsequences: false)
                guard words.count == 4, ["counter", "gauge", "histogram"].contains(words[3]) else {
                    throw Problem(description: "no type: \(line)")
                }
                let name = String(words[2])
                guard helped == name, families[name] == nil, Self.isName(name) else {
                    throw Problem(description: "\(name): its help does not stand before it, or it comes twice")
                }
                guard (words[3] == "counter") == name.hasSuffix("_total") else {
                    throw Problem(description: "\(name): counters, and only those, end in _total")
                }
                families[name] = Family(type: String(words[3]))
                open = name
            } else {
                let sample = try Self.sample(String(line))
                guard let name = open, let family = families[name], Self.belongs(sample.name, to: name, family.type)
                else { throw Problem(description: "\(sample.name): stands outside its family") }
                let key =
                    sample.name + sample.labels.sorted { $0.key < $1.key }.map { "|\($0.key)=\($0.value)" }.joined()
                guard series.insert(key).inserted else { throw Problem(description: "\(key): comes twice") }
                families[name]?.samples.append(sample)
            }
        }
        for (name, family) in families {
            guard !family.samples.isEmpty else { throw Problem(description: "\(name): has no samples") }
            if family.type == "histogram" { try Self.checkHistogram(name, family) }
            if family.type == "counter" {
                guard family.samples.allSatisfy({ $0.value >= 0 }) else {
                    throw Problem(description: "\(name): below 0")
                }
            }
        }
    }

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families.values.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
    }

    private static func belongs(_ sample: String, to family: String, _ type: String) -> Bool {
        type == "histogram" ? ["_bucket", "_sum", "_count"].contains { sample == family + $0 } : sample == family
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.unicodeScalars.first, first == "_" || isLetter(first) else { return false }
        return text.unicodeScalars.allSatisfy { $0 == "_" || isLetter($0) || ("0"..."9").contains($0) }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func sample(_ line: String) throws -> Sample {
        var rest = Substring(line)
        let name = rest.prefix { $0 != "{" && $0 != " " }
        rest = rest.dropFirst(name.count)
        guard isName(name) else { throw Problem(description: "no name: \(line)") }
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            repeat {
                let label = rest.prefix { $0 != "=" }
                rest = rest.dropFirst(label.count)
                guard isName(label), rest.hasPrefix("=\"") else { throw Problem(description: "no label: \(line)") }
                rest = rest.dropFirst(2)
                guard labels.updateValue(try quoted(&rest), forKey: String(label)) == nil else {
                    throw Problem(description: "a label comes twice: \(line)")
                }
            } while rest.popFirst() == ","
            guard line[line.index(before: rest.startIndex)] == "}" else { throw Problem(description: "no }: \(line)") }
        }
        guard rest.popFirst() == " ", let value = number(rest) else { throw Problem(description: "no value: \(line)") }
        return Sample(name: String(name), labels: labels, value: value)
    }

    private static func quoted(_ rest: inout Substring) throws -> String {
        var text = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return text
            case "\\":
                switch rest.popFirst() {
                case "\\": text += "\\"
                case "\"": text += "\""
                case "n": text += "\n"
                default: throw Problem(description: "an escape that there is not")
                }
            default: text.append(character)
            }
        }
        throw Problem(description: "a label's value has no end")
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.allSatisfy { "0123456789.eE+-".contains($0) } ? Double(text) : nil
        }
    }

    private static func checkHistogram(_ name: String, _ family: Family) throws {
        func others(_ sample: Sample) -> [String: String] { sample.labels.filter { $0.key != "le" } }
        for labels in Set(family.samples.map(others)) {
            let own = family.samples.filter { others($0) == labels }
            let buckets = own.filter { $0.name == name + "_bucket" }
            let bounds = try buckets.map { bucket in
                guard let bound = number(Substring(bucket.labels["le"] ?? "")) else {
                    throw Problem(description: "\(name): a bucket without le")
                }
                return bound
            }
            guard bounds.last == .infinity, zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }),
                zip(buckets, buckets.dropFirst()).allSatisfy({ $0.value <= $1.value }),
                own.filter({ $0.name == name + "_count" }).map(\.value) == [buckets.last?.value],
                own.count(where: { $0.name == name + "_sum" }) == 1
            else { throw Problem(description: "\(name): its buckets do not ascend to its count") }
        }
    }
}
