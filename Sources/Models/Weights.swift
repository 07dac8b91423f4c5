import Autograd
import Basics
import Checkpoints
import Kernels

/// Fresh weights, reproducible from a seed.
///
/// Matrices are normal, those that write into the residual stream divided by √(2 · layers)
/// (Radford et al. 2019, GPT-2, section 2.3). Gains are 1, biases 0.
public struct RandomWeights<Scalar: KernelScalar>: WeightProvider {
    private let stream: RandomStream
    private let standardDeviation: Double
    private let residualScale: Double

    /// Weights of the stream "weights" under `seed`.
    public init(seed: UInt64, layerCount: Int, standardDeviation: Double = 0.02) {
        stream = RandomStream(seed: seed, name: "weights")
        self.standardDeviation = standardDeviation
        residualScale = 1 / Double(2 * layerCount).squareRoot()
    }

    /// A normally distributed matrix.
    public func matrix(_ name: String, rows: Int, columns: Int) -> Matrix<Scalar> {
        let names = TensorNames()
        let writesResidual = [names.output, names.down].contains { name.hasSuffix($0.weight) }
        let deviation = standardDeviation * (writesResidual ? residualScale : 1)
        return .parameter(
            Parameter(
                name,
                .normal(
                    [rows, columns],
                    standardDeviation: deviation,
                    stream: stream,
                    item: RandomStream.itemKey(name)
                )
            )
        )
    }

    /// Ones for gains, zeros for biases.
    public func vector(_ name: String, count: Int) -> Parameter<Scalar> {
        let buffer = Buffer<Scalar>(count: count)
        buffer.fill(name.hasSuffix(".bias") ? 0 : 1)
        return Parameter(name, Tensor(buffer, shape: [count]))
    }
}

/// How the matrices of a loaded model are kept.
public enum WeightStorage: String, Sendable, CaseIterable {
    /// In the format of the file, mapped; frozen.
    case stored
    /// Widened to float32; trainable.
    case float32
    /// Rounded to eight bits, one scale for 32 numbers of a row; frozen.
    case q8_0
}

/// Weights out of a checkpoint, checked for shape and for numbers that are not finite on the way,
/// and for leftovers at the end.
final class FileWeights: WeightProvider {
    typealias Scalar = Float
    private let source: any TensorSource
    private let storage: WeightStorage
    private var taken: Set<String> = []

    init(_ source: any TensorSource, storage: WeightStorage) {
        self.source = source
        self.storage = storage
    }

    private func take(_ name: String, shape: [Int]) throws {
        guard let info = source.tensors[name] else {
            throw Failure(
                .badData,
                file: source.path,
                at: "'\(name)'",
                "missing; expected shape \(shape)",
                remedy: "The file does not match its configuration. Convert or export it again."
            )
        }
        guard info.shape == shape else {
            throw Failure(
                .badData,
                file: source.path,
                at: "'\(name)'",
                "found shape \(info.shape); expected \(shape)",
                remedy: "The file does not match its configuration. Convert or export it again."
            )
        }
        taken.insert(name)
    }

    func matrix(_ name: String, rows: Int, columns: Int) throws -> Matrix<Float> {
        try take(name, shape: [rows, columns])
        switch storage {
        case .stored: return .stored(try source.finiteMatrix(name))
        case .float32:
            return .parameter(
                Parameter(name, Tensor(try source.finiteValues(name), shape: [rows, columns]))
            )
        case .q8_0:
            guard columns % BlockFormat.q8_0.blockSize == 0 else {
                throw Failure(
                    .configuration,
                    file: source.path,
                    at: "'\(name)'",
                    "rows of \(columns) numbers cannot be stored as q8_0; expected a multiple of "
                        + "\(BlockFormat.q8_0.blockSize)",
                    remedy: "Choose the storage 'stored' or 'float32'."
                )
            }
            return .stored(
                StoredMatrix(rounding: try source.finiteValues(name), rows: rows, columns: columns)
            )
        }
    }

    func vector(_ name: String, count: Int) throws -> Parameter<Float> {
        try take(name, shape: [count])
        return Parameter(name, Tensor(try source.finiteValues(name), shape: [count]))
    }

    /// Refuses a file with tensors that the network has no place for.
    ///
    /// Where the head is the embedding, a copy under the head's name is harmless;
    /// `ModelFiles.checkTiedHead` has made sure that it is a copy.
    /// - Throws: `Failure.badData` naming the first of them.
    func checkNothingLeft(_ configuration: ModelConfiguration) throws {
        let head = configuration.family.names.head.weight
        let known = { (name: String) in
            name.hasSuffix("rotary_emb.inv_freq")
                || (configuration.tiesWordEmbeddings && name == head)
        }
        let left = source.tensors.keys.filter { !taken.contains($0) && !known($0) }.sorted()
        guard left.isEmpty else {
            throw Failure(
                .badData,
                file: source.path,
                at: "'\(left[0])'",
                "\(left.count) tensors have no place in this architecture",
                remedy: "Check 'model_type' in the configuration."
            )
        }
    }
}
