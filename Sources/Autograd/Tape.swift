import Kernels

/// Records operations as they run and walks them backwards to obtain gradients.
///
/// A flat array: an entry's inputs always come before it, so one reverse sweep visits every entry
/// after all of its users. Entries own values and pullbacks, never each other, hence nothing is
/// released recursively. There is no global tape; an operation records on the tape of its inputs.
///
/// Source: Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008, chapter 3.
public final class Tape<Scalar: KernelScalar> {
    /// Adds an operation's contribution to the gradients of its inputs.
    public typealias Pullback = (_ upstream: Tensor<Scalar>, _ gradients: Gradients<Scalar>) -> Void

    struct Entry {
        let name: StaticString
        let shape: [Int]
        /// Entry of each input; nil for inputs without a gradient.
        let inputs: [Int?]
        var pullback: Pullback?
        /// Where a leaf's gradient is accumulated across backward passes.
        let parameter: Parameter<Scalar>?
        var gradient: Tensor<Scalar>?
    }

    private(set) var entries: [Entry] = []
    private let profile: OperationProfile?
    /// What the matrix products of operations on this tape are computed with.
    public let arithmetic: ProductArithmetic

    /// An empty tape.
    ///
    /// - Parameters:
    ///   - profile: Where the time of each operation is added up, if wanted.
    ///   - arithmetic: What the matrix products of operations are computed with.
    public init(profile: OperationProfile? = nil, arithmetic: ProductArithmetic = .float32) {
        self.profile = profile
        self.arithmetic = arithmetic
        profile?.start()
    }

    /// A leaf whose gradient can be read with `gradient(of:)` after `backward`.
    public func variable(_ value: Tensor<Scalar>) -> Variable<Scalar> {
        leaf(value, parameter: nil)
    }

    /// A value that takes part but gets no gradient.
    public func constant(_ value: Tensor<Scalar>) -> Variable<Scalar> {
        Variable(value: value, tape: self, entry: nil)
    }

    func leaf(_ value: Tensor<Scalar>, parameter: Parameter<Scalar>?) -> Variable<Scalar> {
        entries.append(
            Entry(name: "leaf", shape: value.shape, inputs: [], parameter: parameter)
        )
        return Variable(value: value, tape: self, entry: entries.count - 1)
    }

    func append(
        _ name: StaticString,
        inputs: [Int?],
        shape: [Int],
        pullback: @escaping Pullback
    ) -> Int {
        profile?.charge(name, .forward)
        entries.append(
            Entry(
                name: name,
                shape: shape,
                inputs: inputs,
                pullback: pullback,
                parameter: nil
            )
        )
        return entries.count - 1
    }

    /// Accumulates the gradient of `output`, contracted with `upstream`, into every leaf it
    /// depends on.
    ///
    /// Pullbacks and inner gradients are released on the way, so memory falls as the sweep
    /// proceeds and a tape serves one sweep.
    ///
    /// - Parameters:
    ///   - output: The result of recorded operations.
    ///   - upstream: ∂L/∂output, of the same shape; 1 when nil, and then `output` is a scalar.
    public func backward(from output: Variable<Scalar>, upstream: Tensor<Scalar>? = nil) {
        guard let last = output.entry else { return }
        precondition(output.tape === self, "backward: the value was recorded on another tape")
        precondition(
            upstream.map { $0.shape == output.value.shape } ?? (output.value.count == 1),
            "backward: upstream \(upstream?.shape ?? []) for an output \(output.value.shape)"
        )
        let seed = upstream ?? Tensor([1], shape: output.value.shape)
        Gradients(tape: self, inputs: [last], upstream: seed).add(seed, to: 0)
        for index in stride(from: last, through: 0, by: -1) {
            guard let pullback = entries[index].pullback else { continue }
            entries[index].pullback = nil
            guard let gradient = entries[index].gradient else { continue }
            entries[index].gradient = nil
            pullback(
                gradient,
                Gradients(tape: self, inputs: entries[index].inputs, upstream: gradient)
            )
            profile?.charge(entries[index].name, .backward)
        }
    }

    /// The gradient accumulated for a leaf; nil when nothing flowed to it.
    public func gradient(of leaf: Variable<Scalar>) -> Tensor<Scalar>? {
        leaf.entry.flatMap { entries[$0].parameter?.gradient ?? entries[$0].gradient }
    }

    /// The accumulator of an entry, and whether it already holds a sum.
    func accumulator(_ entry: Int) -> (tensor: Tensor<Scalar>, holdsSum: Bool) {
        if let parameter = entries[entry].parameter { return parameter.addingGradient() }
        if let gradient = entries[entry].gradient { return (gradient, true) }
        let fresh = Tensor<Scalar>(uninitialized: entries[entry].shape)
        entries[entry].gradient = fresh
        return (fresh, false)
    }

    /// Makes `tensor` the gradient of an entry that has none, without copying.
    func adopt(_ tensor: Tensor<Scalar>, for entry: Int) -> Bool {
        guard entries[entry].parameter == nil, entries[entry].gradient == nil,
            entries[entry].shape == tensor.shape
        else { return false }
        entries[entry].gradient = tensor
        return true
    }
}

/// The gradients of one operation's inputs, as its pullback sees them.
///
/// Contributions are added in place: a parameter's gradient is one buffer for its whole life.
public struct Gradients<Scalar: KernelScalar> {
    let tape: Tape<Scalar>
    let inputs: [Int?]
    let upstream: Tensor<Scalar>

    /// Whether input `index` needs a gradient; if not, computing it is wasted.
    public func isWanted(_ index: Int) -> Bool { inputs[index] != nil }

    /// The buffer to add input `index`'s contribution to, cleared if this is the first one; nil
    /// when it is not wanted.
    public func accumulator(_ index: Int) -> Buffer<Scalar>? {
        guard let (buffer, isAdding) = destination(index) else { return nil }
        if !isAdding { buffer.fill(0) }
        return buffer
    }

    /// For kernels that can add to what a buffer holds: the buffer, and whether it already holds a
    /// sum or is to be overwritten; nil when input `index` is not wanted.
    public func destination(_ index: Int) -> (buffer: Buffer<Scalar>, isAdding: Bool)? {
        guard let entry = inputs[index] else { return nil }
        let (tensor, holdsSum) = tape.accumulator(entry)
        return (tensor.buffer, holdsSum)
    }

    /// Adds a contribution that has already been computed.
    public func add(_ contribution: Tensor<Scalar>, to index: Int) {
        guard let (buffer, isAdding) = destination(index) else { return }
        if isAdding {
            Kernels.accumulate(contribution.buffer, into: buffer)
        } else {
            buffer.copy(from: contribution.buffer)
        }
    }

    /// Hands the upstream gradient itself to input `index`, for an operation whose derivative
    /// with respect to it is the identity.
    ///
    /// Saves a copy when it is the first contribution. At most once in a pullback, and after every other use of the upstream gradient.
    public func passUpstream(to index: Int) {
        guard let entry = inputs[index] else { return }
        if !tape.adopt(upstream, for: entry) { add(upstream.reshapedLike(tape, entry), to: index) }
    }
}

extension Tensor {
    fileprivate func reshapedLike(_ tape: Tape<Scalar>, _ entry: Int) -> Tensor {
        reshaped(tape.entries[entry].shape)
    }
}
