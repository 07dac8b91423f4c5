import Kernels

/// A tensor that operations can be applied to, recorded or not.
///
/// Operations are methods on it. When any input has a tape entry, the operation appends one, with
/// its pullback; otherwise it only computes, which is how the same model code serves training and
/// inference.
public struct Variable<Scalar: KernelScalar> {
    /// The numbers.
    public let value: Tensor<Scalar>
    /// The tape that operations on this value record on; nil outside of training.
    public let tape: Tape<Scalar>?
    let entry: Int?
    /// The value as pullbacks hold it.
    var saved: Saved<Scalar> { shared ?? Saved(value) }
    /// Nil where nothing is recorded, and so nothing can be discarded.
    private let shared: Saved<Scalar>?
    /// Computes the value again; nil where nothing is recorded or the operation does not tell how.
    let remake: (() -> Tensor<Scalar>)?

    /// A value outside of any tape.
    public init(_ value: Tensor<Scalar>) { self.init(value: value, tape: nil, entry: nil) }

    init(
        value: Tensor<Scalar>,
        tape: Tape<Scalar>?,
        entry: Int?,
        saved: Saved<Scalar>? = nil,
        remake: (() -> Tensor<Scalar>)? = nil
    ) {
        self.value = value
        self.tape = tape
        self.entry = entry
        shared = saved ?? (entry == nil ? nil : Saved(value))
        self.remake = remake
    }

    /// The same value, of which the tape keeps only how to compute it again, from the values that
    /// the operation itself keeps (activation checkpointing).
    ///
    /// Costs the operation once more in the backward pass, if a pullback needs the value at all,
    /// and changes no bit of any result. Marks along a chain add up: only what is kept at its start
    /// stays in memory. Without effect where nothing is recorded, and on operations that have no
    /// way of computing their value again: leaves, `scaled`, sums, activations.
    /// Source: Chen et al. 2016, arXiv:1604.06174.
    ///
    /// - Parameter isWanted: Whether to do so.
    /// - Returns: The receiver.
    public func recomputed(when isWanted: Bool = true) -> Variable {
        if isWanted, let remake { shared?.discard(remake) }
        return self
    }

    /// Extent of each axis.
    public var shape: [Int] { value.shape }

    /// Whether gradients flow back through this value.
    public var isRecorded: Bool { entry != nil }

    /// Accumulates ∂self/∂leaf into all leaves; the receiver is a scalar.
    public func backward() { tape?.backward(from: self) }

    /// The result of an operation, recorded when any input is.
    ///
    /// - Parameters:
    ///   - name: Name of the operation, for messages.
    ///   - inputs: The operands, in the order the pullback counts them.
    ///   - value: The result.
    ///   - pullback: Adds ∂L/∂input to each wanted input, given ∂L/∂value. Captures values, never
    ///     variables of this operation's result.
    /// - Returns: The value as an operand of further operations.
    public static func recorded(
        _ name: StaticString,
        inputs: [Variable],
        value: Tensor<Scalar>,
        pullback: @escaping Tape<Scalar>.Pullback
    ) -> Variable {
        recorded(name, inputs: inputs, saved: Saved(value), remake: nil, pullback: pullback)
    }

    /// The same for operations that can compute their value again, by `remake`, to the bit and
    /// from what is saved of the inputs, or that use it in their pullback, through `saved`.
    static func recorded(
        _ name: StaticString,
        inputs: [Variable],
        saved: Saved<Scalar>,
        remake: (() -> Tensor<Scalar>)?,
        pullback: @escaping Tape<Scalar>.Pullback
    ) -> Variable {
        let value = saved.tensor
        let tape = inputs.lazy.compactMap(\.tape).first
        precondition(
            inputs.allSatisfy { $0.tape == nil || $0.tape === tape },
            "\(name): operands from two tapes"
        )
        guard let tape, inputs.contains(where: \.isRecorded) else {
            return Variable(value: value, tape: tape, entry: nil)
        }
        let entry = tape.append(
            name,
            inputs: inputs.map(\.entry),
            shape: value.shape,
            pullback: pullback
        )
        return Variable(value: value, tape: tape, entry: entry, saved: saved, remake: remake)
    }
}

extension Collection {
    /// What products of these operands are computed with: what their tape says, if there is one.
    func arithmetic<Scalar>() -> ProductArithmetic where Element == Variable<Scalar> {
        lazy.compactMap(\.tape).first?.arithmetic ?? .float32
    }
}

/// A trained tensor: its value, and the gradient accumulated for it.
public final class Parameter<Scalar: KernelScalar> {
    /// Published weight name, such as "model.layers.0.mlp.up_proj.weight".
    public let name: String
    /// The current value; optimizers move it into their own flat memory.
    public internal(set) var value: Tensor<Scalar>
    /// Sum of gradients since it was last cleared; nil while the parameter is frozen.
    public var gradient: Tensor<Scalar>? {
        settle()
        return accumulator
    }
    /// Memory of the gradient; what it holds counts only if `holdsGradient`.
    private var accumulator: Tensor<Scalar>?
    private var holdsGradient = false

    /// A frozen parameter.
    public init(_ name: String, _ value: Tensor<Scalar>) {
        self.name = name
        self.value = value
    }

    /// Whether weight decay applies: to matrices, not to gains and biases.
    public var isDecayed: Bool { value.shape.count > 1 }

    /// Starts accumulating gradients, from zero.
    public func unfreeze() { accumulate(in: Tensor(uninitialized: value.shape)) }

    /// Starts accumulating gradients in the given memory.
    func accumulate(in memory: Tensor<Scalar>) {
        accumulator = memory
        holdsGradient = false
    }

    /// Forgets the gradient without touching its memory.
    func clearGradient() { holdsGradient = false }

    /// Makes the memory hold zeros where no gradient has been added since it was cleared.
    func settle() {
        if !holdsGradient { accumulator?.buffer.fill(0) }
        holdsGradient = true
    }

    /// The memory to add a contribution to, and whether it already holds a sum or is to be
    /// overwritten.
    func addingGradient() -> (tensor: Tensor<Scalar>, holdsSum: Bool) {
        guard let accumulator else { preconditionFailure("\(name) was frozen after recording") }
        defer { holdsGradient = true }
        return (accumulator, holdsGradient)
    }

    /// The parameter as an operand: a leaf of the tape, or a plain value without one.
    public func on(_ tape: Tape<Scalar>?) -> Variable<Scalar> {
        guard let tape else { return Variable(value) }
        return accumulator == nil ? tape.constant(value) : tape.leaf(value, parameter: self)
    }
}
