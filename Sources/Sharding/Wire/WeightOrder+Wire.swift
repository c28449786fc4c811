import Foundation
import ZeroMQ

extension WireLoad.Weights {
    init(_ order: WeightOrder) {
        self.init()
        description_p = Data(order.description.bytes)
        descriptionBytes = UInt64(clamping: order.descriptionBytes)
        sources = order.sources.map { source in
            .with {
                $0.name = source.name
                $0.endpoint = source.endpoint
                if let key = source.key { $0.key = key.description }
            }
        }
        readers = order.readers.map(\.description)
    }
}

extension WeightOrder {
    init(_ header: WireLoad.Weights, _ read: FieldReader) throws(WireError) {
        try read.count(header.sources.count, "weights.sources", max: Self.sourcesMax)
        var sources: [Source] = []
        for source in header.sources {
            sources.append(
                Source(
                    name: source.name.isEmpty ? "" : try read.workerName(source.name, "weights.sources.name"),
                    endpoint: try read.text(
                        source.endpoint, "weights.sources.endpoint", max: WireLimits.endpointBytesMax),
                    key: source.hasKey ? try read.key(source.key, "weights.sources.key") : nil))
        }
        try read.count(header.readers.count, "weights.readers", max: WireLimits.stagesMax)
        var readers: [CurvePublicKey] = []
        for key in header.readers { readers.append(try read.key(key, "weights.readers")) }
        guard let hash = FileHash(bytes: Array(header.description_p)) else {
            throw read.wrong("weights.description", expected: "32 bytes", got: header.description_p.count)
        }
        self.init(
            description: hash,
            descriptionBytes: try read.integer(
                header.descriptionBytes, "weights.description_bytes", in: 1...WireLimits.descriptionBytesMax),
            sources: sources, readers: readers)
    }
}
