import Foundation
import ZeroMQ

extension WireMeasureLinks {
    init(_ order: LinkOrder) {
        self.init()
        number = order.number
        targets = order.targets.map { target in
            .with {
                $0.name = target.name
                $0.endpoint = target.endpoint
                if let key = target.key { $0.key = key.description }
            }
        }
        admittedKeys = order.admittedKeys.map(\.description)
    }

    func value(_ read: FieldReader) throws(WireError) -> LinkOrder {
        try read.count(targets.count, "targets", max: WireLimits.stagesMax)
        var ends: [LinkOrder.Target] = []
        for target in targets {
            ends.append(
                LinkOrder.Target(
                    name: try read.endName(target.name, "targets.name"),
                    endpoint: try read.text(target.endpoint, "targets.endpoint", max: WireLimits.endpointBytesMax),
                    key: target.hasKey ? try read.key(target.key, "targets.key") : nil))
        }
        try read.count(admittedKeys.count, "admitted_keys", max: WireLimits.stagesMax)
        var keys: [CurvePublicKey] = []
        for key in admittedKeys { keys.append(try read.key(key, "admitted_keys")) }
        return LinkOrder(number: number, targets: ends, admittedKeys: keys)
    }
}

extension WireLinksMeasured {
    init(_ findings: LinkFindings) {
        self.init()
        number = findings.number
        results = findings.results.map { result in
            .with {
                $0.name = result.name
                switch result.finding {
                case .measured(let estimate): $0.link = WireLink(estimate)
                case .unreachable(let reason): $0.failure = reason.cut()
                }
            }
        }
    }

    func value(_ read: FieldReader) throws(WireError) -> LinkFindings {
        try read.count(results.count, "results", max: WireLimits.stagesMax)
        var values: [LinkFindings.Result] = []
        for result in results {
            let finding: LinkTable.Finding =
                switch result.outcome {
                case .link(let link): .measured(try link.value(read, "results.link"))
                case .failure(let reason): .unreachable(try read.text(reason, "results.failure"))
                case nil: throw read.wrong("results.outcome", expected: "a link or a failure", got: "neither")
                }
            values.append(LinkFindings.Result(name: try read.endName(result.name, "results.name"), finding: finding))
        }
        return LinkFindings(number: number, results: values)
    }
}

extension WireLinkMeasured {
    init(_ measured: MeasuredLink) {
        self.init()
        epoch = measured.epoch.rawValue
        stage = UInt32(clamping: measured.stage)
        link = WireLink(measured.estimate)
    }

    func value(_ read: FieldReader) throws(WireError) -> MeasuredLink {
        MeasuredLink(
            epoch: Epoch(epoch), stage: try read.integer(stage, "stage", in: 0...WireLimits.stagesMax),
            estimate: try link.value(read, "link"))
    }
}

extension WireLink {
    init(_ estimate: LinkEstimate) {
        self.init()
        roundTripNanoseconds = min(estimate.roundTrip.wireNanoseconds, UInt64(WireLimits.amountMax))
        bytesPerSecond = min(max(estimate.bytesPerSecond, Self.rates.lowerBound), Self.rates.upperBound)
    }

    /// Bytes a second that a link may have: what is made of them never overflows.
    private static let rates = 1.0...1e15

    func value(_ read: FieldReader, _ field: String) throws(WireError) -> LinkEstimate {
        guard Self.rates.contains(bytesPerSecond) else {
            throw read.wrong("\(field).bytes_per_second", expected: "1 to 1e15", got: bytesPerSecond)
        }
        let nanoseconds = try read.amount(roundTripNanoseconds, "\(field).round_trip_nanoseconds")
        return LinkEstimate(roundTrip: .nanoseconds(Int64(nanoseconds)), bytesPerSecond: bytesPerSecond)
    }
}

extension FieldReader {
    /// A worker's name, or the empty one, which stands for the coordinator.
    func endName(_ value: String, _ field: String) throws(WireError) -> String {
        value.isEmpty ? "" : try workerName(value, field)
    }
}
