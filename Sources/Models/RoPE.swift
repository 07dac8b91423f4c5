import Autograd
import Basics
import Kernels

/// How rotary frequencies are changed to reach beyond the context a model was pre-trained on.
public enum RoPEScaling: Sendable, Equatable {
    /// Unchanged.
    case none
    /// All angles divided by a factor (Chen et al. 2023, arXiv:2306.15595).
    case linear(factor: Double)
    /// Llama 3.1: low frequencies divided by a factor, high ones kept, a ramp between.
    case llama3(factor: Double, lowFactor: Double, highFactor: Double, originalPositions: Int)
    /// YaRN (Peng et al. 2023, arXiv:2309.00071, sections 3.2 to 3.4), which also scales the
    /// rotated vectors.
    case yarn(
        factor: Double,
        betaFast: Double,
        betaSlow: Double,
        originalPositions: Int,
        attentionFactor: Double?
    )

    /// Reads the `rope_scaling` entry of config.json.
    ///
    /// - Parameters:
    ///   - json: The entry, or null.
    ///   - originalPositions: The context before stretching, for entries that do not state it.
    /// - Throws: `Failure.badData` for a kind that is not implemented, and for numbers that make no
    ///   sense.
    public init(_ json: JSON, originalPositions: Int? = nil) throws {
        func failure(_ key: String, _ message: String) -> Failure {
            Failure(.badData, at: "'\(key)'", message)
        }
        let kinds = try ["rope_type", "type"].compactMap { try json.optional($0, json.string) }
        let kind = kinds.first ?? "default"
        func original() throws -> Int {
            let key = "original_max_position_embeddings"
            let here = try json.optional(key, json.integer)
            if let here, let originalPositions, here != originalPositions {
                throw failure(key, "found \(here) here and \(originalPositions) beside it")
            }
            return try here ?? originalPositions ?? json.integer(key)
        }
        if let other = kinds.first(where: { $0 != kind }) {
            throw failure(
                "type",
                "found '\(other)', and 'rope_type' is '\(kind)'; expected the same"
            )
        }
        switch kind {
        case "default":
            // A factor under another name would be lost.
            if let factor = try json.optional("factor", json.number), factor != 1 {
                throw failure("factor", "found \(factor), but no kind of scaling that takes it")
            }
            self = .none
        case "linear":
            self = .linear(factor: try json.number("factor"))
        case "llama3":
            self = .llama3(
                factor: try json.number("factor"),
                lowFactor: try json.number("low_freq_factor"),
                highFactor: try json.number("high_freq_factor"),
                originalPositions: try original()
            )
        case "yarn":
            for key in ["mscale", "mscale_all_dim"] {
                if let scale = try json.optional(key, json.number), scale != 0 {
                    throw failure(key, "found \(scale), which is not implemented")
                }
            }
            guard try json.flag("truncate") != false else {
                throw failure("truncate", "found false, which is not implemented; expected true")
            }
            self = .yarn(
                factor: try json.number("factor"),
                betaFast: try json.optional("beta_fast", json.number) ?? 32,
                betaSlow: try json.optional("beta_slow", json.number) ?? 1,
                originalPositions: try original(),
                attentionFactor: try json.optional("attention_factor", json.number)
            )
        default:
            throw failure(
                "rope_type",
                "'\(kind)' is not implemented; expected default, linear, llama3 or yarn"
            )
        }
        try validate()
    }

    /// Refuses numbers that no rotation can be made of.
    ///
    /// - Throws: `Failure.badData` naming the key and the value.
    func validate() throws {
        func positive(_ key: String, _ value: Double?) throws {
            guard let value, !(value > 0 && value.isFinite) else { return }
            throw Failure(
                .badData,
                at: "'\(key)'",
                "found \(value); expected a finite number above 0"
            )
        }
        func ordered(_ lower: (String, Double), _ upper: (String, Double)) throws {
            try positive(lower.0, lower.1)
            try positive(upper.0, upper.1)
            guard lower.1 >= upper.1 else { return }
            throw Failure(
                .badData,
                at: "'\(upper.0)'",
                "found \(upper.1); expected more than '\(lower.0)', \(lower.1)"
            )
        }
        func positions(_ value: Int) throws {
            try ModelConfiguration.Limit.check(
                value,
                1...ModelConfiguration.Limit.vocabulary,
                at: "'original_max_position_embeddings'"
            )
        }
        switch self {
        case .none: break
        case .linear(let factor): try positive("factor", factor)
        case .llama3(let factor, let low, let high, let original):
            try positive("factor", factor)
            try ordered(("low_freq_factor", low), ("high_freq_factor", high))
            try positions(original)
        case .yarn(let factor, let fast, let slow, let original, let attention):
            try positive("factor", factor)
            try ordered(("beta_slow", slow), ("beta_fast", fast))
            try positive("attention_factor", attention)
            try positions(original)
        }
    }

    /// The entry of config.json.
    public var json: JSON {
        switch self {
        case .none: .null
        case .linear(let factor): ["rope_type": "linear", "factor": .number(factor)]
        case .llama3(let factor, let low, let high, let original):
            [
                "rope_type": "llama3", "factor": .number(factor), "low_freq_factor": .number(low),
                "high_freq_factor": .number(high),
                "original_max_position_embeddings": .integer(original),
            ]
        case .yarn(let factor, let fast, let slow, let original, let attention):
            [
                "rope_type": "yarn", "factor": .number(factor), "beta_fast": .number(fast),
                "beta_slow": .number(slow),
                "original_max_position_embeddings": .integer(original),
                "attention_factor": attention.map { .number($0) } ?? .null,
            ]
        }
    }
}

/// The rotary angles of a model: position times frequency.
struct RoPE: Sendable {
    /// Radians a position, one for each pair of elements; `[D / 2]`.
    let frequencies: [Double]
    /// Factor on the rotated vectors.
    let magnitude: Double

    init(theta: Double, headDimension: Int, scaling: RoPEScaling) {
        let base = (0..<headDimension / 2).map {
            Elementary.pow(theta, -2 * Double($0) / Double(headDimension))
        }
        switch scaling {
        case .none:
            (frequencies, magnitude) = (base, 1)
        case .linear(let factor):
            (frequencies, magnitude) = (base.map { $0 / factor }, 1)
        case .llama3(let factor, let low, let high, let original):
            frequencies = base.map { frequency in
                let turns = Double(original) * frequency / (2 * .pi)
                // 0: all of the factor; 1: none of it.
                let kept = min(1, max(0, (turns - low) / (high - low)))
                return frequency * (kept + (1 - kept) / factor)
            }
            magnitude = 1
        case .yarn(let factor, let betaFast, let betaSlow, let original, let attentionFactor):
            /// The pair that turns `rotations` times within the original context.
            func pair(turning rotations: Double) -> Double {
                Double(headDimension) * Elementary.log(Double(original) / (rotations * 2 * .pi))
                    / (2 * Elementary.log(theta))
            }
            let low = max(0, pair(turning: betaFast).rounded(.down))
            let high = min(Double(headDimension - 1), pair(turning: betaSlow).rounded(.up))
            frequencies = base.enumerated().map { index, frequency in
                let ramp = (Double(index) - low) / max(high - low, 0.001)
                let interpolated = min(1, max(0, ramp))
                return frequency * ((1 - interpolated) + interpolated / factor)
            }
            magnitude = attentionFactor ?? (factor > 1 ? 0.1 * Elementary.log(factor) + 1 : 1)
        }
    }

    /// Cosines and sines of the given positions, each `[positions.count, D / 2]`.
    func angles<Scalar: KernelScalar>(_ positions: [Int]) -> (Tensor<Scalar>, Tensor<Scalar>) {
        let shape = [positions.count, frequencies.count]
        var cosines: [Scalar] = []
        var sines: [Scalar] = []
        cosines.reserveCapacity(positions.count * frequencies.count)
        sines.reserveCapacity(positions.count * frequencies.count)
        for position in positions {
            for frequency in frequencies {
                let angle = Double(position) * frequency
                cosines.append(Scalar(Elementary.cos(angle) * magnitude))
                sines.append(Scalar(Elementary.sin(angle) * magnitude))
            }
        }
        return (Tensor(cosines, shape: shape), Tensor(sines, shape: shape))
    }
}
