import Basics
import Models

extension ModelConfiguration {
    /// Reads the shape of a model trained from scratch.
    init(_ reader: ConfigurationReader, vocabularySize: Int) {
        let any = 1...1_000_000
        let family = reader.choice("family", default: Family.qwen3) ?? .qwen3
        let hidden = reader.integer("hiddenSize", in: any)
        let layers = reader.integer("layers", in: any)
        let heads = reader.integer("heads", in: any)
        let keyValueHeads = reader.integer("keyValueHeads", default: heads, in: any)
        let headDimension = reader.integer(
            "headDimension",
            default: max(2, hidden / heads),
            in: 2...1_000_000
        )
        if heads % keyValueHeads != 0 {
            reader.report.add(
                reader.path("keyValueHeads"),
                "found \(keyValueHeads); expected a divisor of heads, \(heads)"
            )
        }
        if headDimension % 2 != 0 {
            reader.report.add(
                reader.path("headDimension"),
                "found \(headDimension); expected an even number"
            )
        }
        let intermediate = reader.integer("intermediateSize", default: 3 * hidden, in: any)
        let ties = reader.bool("tieEmbeddings", default: true)
        let theta = reader.number("ropeTheta", default: 10000, in: 1...1e12)
        self.init(
            family: family,
            vocabularySize: vocabularySize,
            hiddenSize: hidden,
            intermediateSize: intermediate,
            layerCount: layers,
            queryHeadCount: heads,
            keyValueHeadCount: keyValueHeads,
            headDimension: headDimension,
            rmsNormEpsilon: reader.number("normEpsilon", default: 1e-6, in: 1e-12...1),
            ropeTheta: theta,
            tiesWordEmbeddings: ties
        )
        guard heads % keyValueHeads == 0, headDimension % 2 == 0 else { return }
        do { try validate() } catch {
            // Each number has its limits above; these are of a network as a whole.
            reader.report.add(reader.path("heads"), "\(error)")
        }
    }

    /// The members as an experiment file names them, for keys and manifests.
    var shapeJSON: JSON {
        [
            "family": .string(family.rawValue), "hiddenSize": .integer(hiddenSize),
            "layers": .integer(layerCount), "heads": .integer(queryHeadCount),
            "keyValueHeads": .integer(keyValueHeadCount),
            "headDimension": .integer(headDimension),
            "intermediateSize": .integer(intermediateSize),
            "vocabularySize": .integer(vocabularySize), "tieEmbeddings": .bool(tiesWordEmbeddings),
            "ropeTheta": .number(ropeTheta), "normEpsilon": .number(rmsNormEpsilon),
        ]
    }
}
