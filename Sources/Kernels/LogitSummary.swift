import Basics
import CKernels

/// What sampling wants to know of a row of logits, found in one pass through memory: the greatest
/// logit of every block, and the sums of exponentials at temperature 1 and at one other.
///
/// Tokens above a threshold are then found by looking at the few blocks that have one.
public struct LogitSummary: Sendable {
    /// The row, `[vocabulary]`.
    public let logits: Buffer<Float>
    /// The greatest logit.
    public let greatest: Float
    /// Σ e^(x - greatest).
    public let sum: Double
    /// Σ e^((x - greatest) / temperature).
    public let temperedSum: Double
    /// What `temperedSum` was taken at.
    public let temperature: Double
    private let blockMaxima: Buffer<Float>

    /// Reads a row.
    ///
    /// - Precondition: The row is not empty and the temperature positive.
    public init(_ logits: Buffer<Float>, temperature: Double = 1) {
        precondition(
            logits.count > 0 && temperature > 0,
            "LogitSummary: \(logits.count) logits at temperature \(temperature)"
        )
        let block = Int(CK_LOGIT_BLOCK)
        let maxima = Buffer<Float>(count: (logits.count + block - 1) / block)
        // Pieces, whose limits depend on nothing but the length of the row, are shared by threads.
        let starts = Array(stride(from: 0, to: logits.count, by: Self.pieceLength))
        let parts = ThreadPool.map(starts, grain: 1) { start in
            var sums = [0.0, 0.0]
            let top = Float.kernels.summarize_logits(
                min(Self.pieceLength, logits.count - start),
                logits.base + start,
                1 / temperature,
                maxima.base + start / block,
                &sums
            )
            return (top: top, sum: sums[0], temperedSum: sums[1])
        }
        let top = parts.reduce(-Double.infinity) { max($0, $1.top) }
        var (sum, temperedSum) = (0.0, 0.0)
        for part in parts {
            sum += part.sum * Elementary.exp(part.top - top)
            temperedSum += part.temperedSum * Elementary.exp((part.top - top) / temperature)
        }
        (self.logits, self.temperature, blockMaxima) = (logits, temperature, maxima)
        (greatest, self.sum, self.temperedSum) = (Float(top), sum, temperedSum)
    }

    /// Logits of a piece: whole blocks.
    private static let pieceLength = 64 * Int(CK_LOGIT_BLOCK)

    /// Whether every logit is a number or -∞, and one is finite.
    public var isUsable: Bool { sum.isFinite && temperedSum.isFinite }

    /// The softmax of one entry at temperature 1.
    public func probability(of index: Int) -> Float {
        Float(Elementary.exp(Double(logits[index] - greatest)) / sum)
    }

    /// The index of the greatest logit, the first of equals.
    public var indexOfGreatest: Int {
        indices(atLeast: greatest, limit: 1).first.map(Int.init) ?? 0
    }

    /// The logit that has the probability `share` at `temperature`.
    public func logit(ofShare share: Double) -> Float {
        greatest + Float(temperature * Elementary.log(share * temperedSum))
    }

    /// A logit that at least `count` entries reach, and seldom many more: the `count`-th greatest of
    /// the blocks' maxima; -∞ where there are too few blocks.
    public func logit(reachedBy count: Int) -> Float {
        guard count > 0, count <= blockMaxima.count else { return -.infinity }
        // Kept in decreasing order; after the first few hardly any maximum enters.
        var most: [Float] = []
        for block in 0..<blockMaxima.count {
            let value = blockMaxima[block]
            if most.count == count {
                guard let last = most.last, value > last else { continue }
                most.removeLast()
            }
            most.insert(value, at: most.firstIndex { $0 < value } ?? most.count)
        }
        return most.last ?? -.infinity
    }

    /// Entries whose logit is at least `floor`, in increasing order; at most `limit` of them.
    ///
    /// Entries of -∞ are left out.
    public func indices(atLeast floor: Float, limit: Int = .max) -> [Int32] {
        let block = Int(CK_LOGIT_BLOCK)
        var found: [Int32] = []
        logits.withSpan { row in
            for number in 0..<blockMaxima.count where blockMaxima[number] >= floor {
                for index in number * block..<min((number + 1) * block, row.count) {
                    guard row[index] >= floor, row[index] > -.infinity else { continue }
                    found.append(Int32(truncatingIfNeeded: index))
                    if found.count == limit { return }
                }
            }
        }
        return found
    }

    /// e^((x - greatest) / temperature) of some entries.
    public func weights(of indices: [Int32]) -> [Float] {
        let x = Buffer<Float>(count: indices.count)
        for (place, index) in indices.enumerated() {
            x[place] = (logits[Int(index)] - greatest) * Float(1 / temperature)
        }
        activate(.exp, x, into: x)
        return x.array
    }
}
