import Autograd
import Basics
import Checkpoints
import Kernels

/// A trained low-rank update of a linear map with a frozen weight; see `LoRA`.
public struct Adapter<Scalar: KernelScalar> {
    /// A, `[rank, inputs]`.
    let a: Parameter<Scalar>
    /// B, `[outputs, rank]`.
    let b: Parameter<Scalar>
    /// α / rank.
    let scale: Double

    /// The update as an operand on a tape, or off it.
    func on(_ tape: Tape<Scalar>?) -> LowRank<Scalar> {
        LowRank(a: a.on(tape), b: b.on(tape), scale: Scalar(scale))
    }

    var parameters: [Parameter<Scalar>] { [a, b] }
}

/// Weights from another provider, with adapters on some of its linear maps.
public struct AdaptedWeights<Base: WeightProvider>: WeightProvider {
    /// Element type of the adapters.
    public typealias Scalar = Base.Scalar
    /// Gives a factor of an update, by its name and shape.
    public typealias Factor = (_ name: String, _ shape: [Int]) throws -> Tensor<Scalar>

    private let base: Base
    private let lora: LoRA
    private let factor: Factor

    /// Adds adapters whose factors `factor` gives.
    public init(_ base: Base, _ lora: LoRA, factor: @escaping Factor) {
        self.base = base
        self.lora = lora
        self.factor = factor
    }

    /// Adds fresh adapters, which change nothing yet: A is uniform in ±1/√inputs, B is 0.
    ///
    /// PEFT draws the same: Kaiming's uniform distribution with a = √5.
    public init(_ base: Base, _ lora: LoRA, seed: UInt64) {
        let stream = RandomStream(seed: seed, name: "adapters")
        self.init(base, lora) { name, shape in
            guard shape[0] == lora.rank, name.contains(".lora_A.") else { return .zeros(shape) }
            let (item, bound) = (RandomStream.itemKey(name), 1 / Double(shape[1]).squareRoot())
            let values = (0..<shape[0] * shape[1]).map { position -> Scalar in
                let draw = stream.uniform(item: item, attempt: 0, position: position, draw: 0)
                return Scalar((2 * draw - 1) * bound)
            }
            return Tensor(values, shape: shape)
        }
    }

    /// A matrix of the base.
    public func matrix(_ name: String, rows: Int, columns: Int) throws -> Matrix<Scalar> {
        try base.matrix(name, rows: rows, columns: columns)
    }

    /// A vector of the base.
    public func vector(_ name: String, count: Int) throws -> Parameter<Scalar> {
        try base.vector(name, count: count)
    }

    /// The adapter of a linear map, where it is a target.
    public func adapter(_ path: String, outputs: Int, inputs: Int) throws -> Adapter<Scalar>? {
        guard lora.adapts(path) else { return nil }
        func parameter(_ name: String, _ shape: [Int]) throws -> Parameter<Scalar> {
            Parameter(name, try factor(name, shape))
        }
        return Adapter(
            a: try parameter(LoRA.a(path), [lora.rank, inputs]),
            b: try parameter(LoRA.b(path), [outputs, lora.rank]),
            scale: lora.scale
        )
    }
}

extension LoRA {
    /// Numbers in the adapters of a model.
    public func parameterCount(_ c: ModelConfiguration) -> Int {
        let (queries, keys) = (
            c.queryHeadCount * c.headDimension, c.keyValueHeadCount * c.headDimension
        )
        let sides = [
            "q_proj": c.hiddenSize + queries, "k_proj": c.hiddenSize + keys,
            "v_proj": c.hiddenSize + keys, "o_proj": queries + c.hiddenSize,
            "gate_proj": c.hiddenSize + c.intermediateSize,
            "up_proj": c.hiddenSize + c.intermediateSize,
            "down_proj": c.intermediateSize + c.hiddenSize,
        ]
        return targets.reduce(0) { $0 + (sides[$1] ?? 0) } * rank * c.layerCount
    }
}
