import Basics
import Kernels

extension LogitSummary {
    /// -Σ p ln p at temperature 1, nats: how surprising the next token is on average.
    public var entropy: Double {
        let shifted = Buffer<Float>(count: logits.count)
        for index in 0..<logits.count { shifted[index] = logits[index] - greatest }
        let weights = Buffer<Float>(count: logits.count)
        activate(.exp, shifted, into: weights)
        var mean = 0.0
        for index in 0..<logits.count where weights[index] > 0 {
            mean += Double(weights[index]) * Double(shifted[index])
        }
        return max(0, Elementary.log(sum) - mean / sum)
    }

    /// -ln p of a token at temperature 1 over the entropy and a millionth.
    ///
    /// - Parameters:
    ///   - token: Its index in the row.
    ///   - entropy: `entropy`, computed once a row.
    /// - Returns: At least 0; above 1 where the token surprises more than the next one does on average.
    public func relativeSurprisal(of token: Int32, entropy: Double) -> Double {
        let surprisal = Elementary.log(sum) - Double(logits[Int(token)] - greatest)
        return surprisal / (entropy + 1e-6)
    }
}

/// A gate that keeps tokens which surprise a model no more, for its uncertainty, than its own do.
public enum RelativeGate {
    /// The least ratio that a share of the model's own tokens does not exceed.
    ///
    /// - Precondition: There is at least one ratio, and `share` is above 0 and at most 1.
    /// - Parameters:
    ///   - share: The share of the model's own tokens that pass.
    ///   - ratios: `relativeSurprisal` of tokens that the model has drawn itself.
    /// - Returns: One of the ratios.
    public static func threshold(passing share: Double, of ratios: [Float]) -> Double {
        precondition(!ratios.isEmpty && share > 0 && share <= 1, "RelativeGate: nothing to pass")
        let rank = Int((share * Double(ratios.count)).rounded(.up))
        return Double(ratios.sorted()[max(1, min(rank, ratios.count)) - 1])
    }
}
