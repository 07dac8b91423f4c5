import Kernels

/// A value that pullbacks will need: kept, or computed again when the first of them asks.
///
/// All pullbacks that use a value share one of these, so it is computed again at most once, and is
/// released with the last of them.
final class Saved<Scalar: KernelScalar> {
    private var kept: Tensor<Scalar>?
    private var remake: (() -> Tensor<Scalar>)?

    init(_ value: Tensor<Scalar>) { kept = value }

    /// The numbers.
    var tensor: Tensor<Scalar> {
        if let kept { return kept }
        guard let remake else { preconditionFailure("Saved: neither kept nor computed again") }
        let value = remake()
        (kept, self.remake) = (value, nil)
        return value
    }

    /// Lets the numbers go; `remake` gives the same ones, to the bit.
    func discard(_ remake: @escaping () -> Tensor<Scalar>) { (kept, self.remake) = (nil, remake) }
}
