import Foundation

/// Reference values made by Tools/statistics_fixtures.py with SciPy.
struct StatisticsFixtures: Decodable {
    struct IntervalCase: Decodable {
        var successes: Int
        var trials: Int
        var confidence: Double
        var wilson: [Double]
    }
    struct PermutationCase: Decodable {
        var differences: [Int]
        var p: Double
        var midP: Double
    }
    struct ClusteredCase: Decodable {
        var correct: [Int]
        var samples: Int
        var interval: [Double]
    }
    struct Seeds: Decodable {
        var values: [Double]
        var tP: Double
        var signFlipP: Double
        var interval: [Double]
        var standardError: Double
    }
    struct Paired: Decodable {
        var samples: Int
        var arm: [Int]
        var base: [Int]
        var difference: Double
        var standardError: Double
        var armMean: Double
        var armStandardError: Double
        var minimumDetectableEffect: Double
    }
    struct HolmCase: Decodable {
        var p: [Double]
        var adjusted: [Double]
    }
    struct PassCase: Decodable {
        var samples: Int
        var correct: Int
        var k: Int
        var value: Double
    }

    var normalQuantiles: [[Double]]
    var logGamma: [[Double]]
    var betaCumulative: [[Double]]
    var intervals: [IntervalCase]
    var permutationTests: [PermutationCase]
    var paired: Paired
    var holm: [HolmCase]
    var passAtK: [PassCase]
    var clustered: [ClusteredCase]
    var studentT: [[Double]]
    var seeds: Seeds

    static func load() throws -> StatisticsFixtures {
        let url = Bundle.module.bundleURL.appending(path: "Fixtures/statistics.json")
        return try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
    }
}

/// A small seeded generator, so that simulations repeat.
///
/// Source: SplitMix64, Steele, Lea & Flood 2014.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// Draw `i` of a stream of uniform numbers in [0, 1).
    static func uniform(seed: UInt64) -> (Int) -> Double {
        { i in
            let bits = mix(seed &+ (UInt64(i) &+ 1) &* 0x9E37_79B9_7F4A_7C15)
            return Double(bits >> 11) * 0x1p-53
        }
    }
}

/// Whether two values agree to `tolerance`, relative to the larger of 1 and the reference; never
/// for NaN.
func close(_ a: Double, _ reference: Double, _ tolerance: Double = 1e-10) -> Bool {
    abs(a - reference) <= tolerance * max(1, abs(reference))
}
