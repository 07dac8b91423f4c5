/// Speed of the kinds of matrix products at one shape, side by side.
public struct ProductComparison: Sendable {
    /// A product's sizes, and which operands are stored transposed.
    public struct Shape: Sendable {
        let m: Int
        let n: Int
        let k: Int
        let transposeA: Bool
        let transposeB: Bool
        /// What the product is for, such as "gate, forward".
        public let name: String

        /// The three products of a linear map over some rows: forward, ∂x and ∂W.
        public static func linear(_ name: String, rows: Int, inputs: Int, outputs: Int) -> [Shape] {
            [
                Shape(
                    m: rows,
                    n: outputs,
                    k: inputs,
                    transposeA: false,
                    transposeB: true,
                    name: "\(name), y"
                ),
                Shape(
                    m: rows,
                    n: inputs,
                    k: outputs,
                    transposeA: false,
                    transposeB: false,
                    name: "\(name), dx"
                ),
                Shape(
                    m: outputs,
                    n: inputs,
                    k: rows,
                    transposeA: true,
                    transposeB: false,
                    name: "\(name), dW"
                ),
            ]
        }

        /// Multiplications and additions.
        public var operations: Double { 2 * Double(m) * Double(n) * Double(k) }
    }

    /// The product.
    public let shape: Shape
    /// Seconds of each kind, the median.
    public private(set) var seconds: [ProductArithmetic: Double] = [:]

    /// Times kinds of products on the pool's threads, one after the other and again.
    ///
    /// OpenBLAS's time is the better one of its calls by our blocks and of its own threads. Operands
    /// change from call to call, so that none is in a cache because of the measurement.
    ///
    /// - Parameters:
    ///   - shape: The product.
    ///   - kinds: What to time.
    ///   - rounds: Calls of each kind; the first is not counted.
    public init(_ shape: Shape, _ kinds: [ProductArithmetic], rounds: Int = 6) {
        self.shape = shape
        let (m, n, k) = (shape.m, shape.n, shape.k)
        func operand(_ count: Int) -> Buffer<Float> {
            let numbers = Buffer<Float>(count: count)
            for i in 0..<count { numbers.base[i] = Float(i * 37 % 251 - 125) / 128 }
            return numbers
        }
        let pairs = (0..<2).map { _ in (operand(m * k), operand(k * n), operand(m * n)) }
        var times: [ProductArithmetic: [Double]] = [:]
        for round in 0..<rounds {
            let (a, b, c) = pairs[round % 2]
            let product = MatrixProduct(
                a,
                transposeA: shape.transposeA,
                b,
                transposeB: shape.transposeB,
                into: c,
                m: m,
                n: n,
                k: k
            )
            for kind in kinds {
                var seconds = Self.seconds { gemm([product], kind) }
                if kind == .openBLAS {
                    seconds = min(
                        seconds,
                        Self.seconds {
                            OpenBLAS.shared.multiply(product, threads: ThreadPool.threadCount)
                        }
                    )
                }
                if round > 0 { times[kind, default: []].append(seconds) }
            }
        }
        seconds = times.mapValues { $0.sorted()[$0.count / 2] }
    }

    private static func seconds(_ body: () -> Void) -> Double {
        let start = ContinuousClock.now
        body()
        return (ContinuousClock.now - start) / .seconds(1)
    }
}
