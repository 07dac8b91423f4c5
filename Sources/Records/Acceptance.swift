/// The teacher's share of acceptable proposals under a threshold, averaged over tokens.
///
/// Exact, from both distributions at every position visited; not counted from draws.
public struct Acceptance: Sendable, Equatable {
    /// P_S below which a proposal would be refused.
    public var threshold: Double
    /// The mean share, 0 to 1.
    public var share: Double

    /// Describes a share.
    public init(threshold: Double, share: Double) {
        self.threshold = threshold
        self.share = share
    }
}
