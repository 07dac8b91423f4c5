/// How much of a layer a recorded pass computes again in the backward pass, instead of keeping it.
///
/// Norms, rotations and gated products, which cost next to nothing, are never kept. For each
/// token and layer of C hidden, Q query, K key-value and I intermediate numbers there remain:
public enum Recomputation: String, Sendable, CaseIterable, Comparable {
    /// Nothing else: 2 C + 2 Q + 2 K + 2 I numbers are kept.
    case none
    /// The projections into the feed-forward block: 2 C + 2 Q + 2 K are kept, for about a tenth
    /// more work.
    case feedForward
    /// All but the layer's input: C are kept, for about a third more work.
    case layers

    /// Numbers kept for the backward pass, for each token and layer.
    func keptValues(_ c: ModelConfiguration) -> Int {
        // The layer's input, log-sums of attention, factors of norms.
        var kept = c.hiddenSize + c.queryHeadCount + 2
        if c.hasQueryKeyNorm { kept += c.queryHeadCount + c.keyValueHeadCount }
        if self < .layers { kept += c.hiddenSize + 2 * c.attentionWidth }
        if self < .feedForward { kept += 2 * c.intermediateSize }
        return kept
    }

    /// Whether the left one keeps more.
    public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
