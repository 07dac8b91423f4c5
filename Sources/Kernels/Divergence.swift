import CKernels

/// How far a student's next-token distribution S is from a teacher's T.
///
///     teacherWeight · KL(T, M) + studentWeight · KL(S, M)   with   M = mixture · T + (1 - mixture) · S
///
/// KL(P, Q) = Σ P ln(P / Q). All are 0 where S = T.
public struct Divergence: Sendable, Equatable {
    /// The factor of KL(T, M).
    public let teacherWeight: Double
    /// The factor of KL(S, M).
    public let studentWeight: Double
    /// The teacher's share of M, from 0 to 1.
    public let mixture: Double

    /// KL(T, S): a student that leaves out what its teacher says pays for it.
    ///
    /// Its gradient is that of soft labels (arXiv:1503.02531), without their factor temperature².
    public static let forwardKL = Divergence(teacherWeight: 1, studentWeight: 0, mixture: 0)

    /// KL(S, T): a student that says what its teacher does not pays for it (arXiv:2306.08543).
    public static let reverseKL = Divergence(teacherWeight: 0, studentWeight: 1, mixture: 1)

    /// The generalised Jensen-Shannon divergence: beta KL(T, M) + (1 - beta) KL(S, M) with
    /// M = beta T + (1 - beta) S (arXiv:2306.13649, equation 1).
    ///
    /// Divided by beta it nears forward KL as beta nears 0, by 1 - beta reverse KL as it nears 1.
    public static func jensenShannon(beta: Double) -> Divergence {
        Divergence(teacherWeight: beta, studentWeight: 1 - beta, mixture: beta)
    }

    /// KL(T, alpha T + (1 - alpha) S), bounded by -ln alpha (arXiv:2503.07067).
    public static func skewKL(alpha: Double) -> Divergence {
        Divergence(teacherWeight: 1, studentWeight: 0, mixture: alpha)
    }
}

/// The tokens that two vocabularies share: entry for entry a student's id and the teacher's.
public struct SharedTokens: Sendable, Equatable {
    /// The student's ids, none twice.
    public let student: [Int32]
    /// The teacher's ids of the same tokens.
    public let teacher: [Int32]

    /// Pairs ids.
    ///
    /// - Precondition: As many of one as of the other, and at least one.
    public init(student: [Int32], teacher: [Int32]) {
        precondition(
            student.count == teacher.count && !student.isEmpty,
            "SharedTokens: \(student.count) and \(teacher.count) ids"
        )
        (self.student, self.teacher) = (student, teacher)
    }
}

/// A teacher's most likely tokens at one position, and what is left for all others.
public struct TopTokens: Sendable, Equatable {
    /// Ids in the student's vocabulary, none twice.
    public let tokens: [Int32]
    /// The natural logarithm of each token's probability.
    public let logProbabilities: [Float]
    /// The natural logarithm of all other tokens' probability together; nil where there are none.
    public let rest: Float?

    /// Describes a position.
    ///
    /// - Precondition: As many logarithms as tokens.
    public init(tokens: [Int32], logProbabilities: [Float], rest: Float?) {
        precondition(
            tokens.count == logProbabilities.count && (!tokens.isEmpty || rest != nil),
            "TopTokens: \(tokens.count) tokens, \(logProbabilities.count) logarithms"
        )
        (self.tokens, self.logProbabilities, self.rest) = (tokens, logProbabilities, rest)
    }
}

/// What a teacher says at some rows.
public enum TeacherRows<Scalar: KernelScalar> {
    /// Logits over its whole vocabulary, `[rows, teacher's vocabulary]`, and which are those of the
    /// student's tokens.
    ///
    /// Where both sides have others, those are one more outcome, "something else"; where one side
    /// alone has, it is taken as restricted to the shared ones.
    case logits(Buffer<Scalar>, SharedTokens)
    /// Its most likely tokens, one entry a row; all others are one more outcome.
    case top([TopTokens])
}

/// losses[r] = the divergence of row r, at a temperature; with `weights`, logits[r, :] becomes
/// weights[r] times its gradient.
///
/// Per outcome v, with r = ln(T / S) and L = ln(M / S):
///
///     loss   Σ teacherWeight · T (r - L) - studentWeight · S L
///     d(v) = ∂loss / ∂S(v) = -studentWeight · L - (1 - mixture)(teacherWeight · T + studentWeight · S) / M
///     ∂loss / ∂z(v) = S (d(v) - Σ S d) / temperature
///
/// `logits` is `[rows, vocabulary]`, the student's. A token of "something else" has its share of that
/// outcome's gradient.
///
/// - Precondition: The temperature is positive.
@_specialize(where S == Float)
@_specialize(where S == Double)
public func divergence<S: KernelScalar>(
    _ divergence: Divergence,
    temperature: Double,
    logits: Buffer<S>,
    rows: Int,
    teacher: TeacherRows<S>,
    losses: Buffer<S>,
    weights: Buffer<S>?
) {
    guard rows > 0 else { return }
    let columns = logits.count / rows
    precondition(
        logits.count == rows * columns && losses.count == rows && weights?.count ?? rows == rows
            && temperature > 0,
        "divergence: \(logits.count) logits, \(losses.count) losses of \(rows) rows"
    )
    switch teacher {
    case .logits(let logits, let shared):
        checkIds("divergence", shared.student, rows: columns)
        checkIds("divergence", shared.teacher, rows: logits.count / rows)
    case .top(let tops):
        precondition(tops.count == rows, "divergence: \(tops.count) entries for \(rows) rows")
        for top in tops { checkIds("divergence", top.tokens, rows: columns) }
    }
    let inverse = S(1 / temperature)
    ThreadPool.forEach(rows, grain: 1) { range in
        for r in range {
            let z = logits[r * columns..<(r + 1) * columns]
            let row = OutcomeRow(z, inverse, teacher, row: r, of: rows)
            losses[r] = row.diverge(divergence, weight: weights.map { $0[r] * inverse })
            if weights != nil { row.scatter(into: z) }
        }
    }
}

/// One row as both models' logarithms of the outcomes' weights: shared tokens, and perhaps
/// "something else" behind them.
private struct OutcomeRow<S: KernelScalar> {
    /// The student's ids of the outcomes that are tokens.
    private let tokens: [Int32]
    /// The student's, `[outcomes]`; later the gradients.
    private let x: Buffer<S>
    /// The teacher's, `[outcomes]`.
    private let y: Buffer<S>
    /// The student's tempered logits, -∞ at the outcomes that are tokens; nil where there is no
    /// "something else".
    private let others: Buffer<S>?
    /// The logarithm of the student's weight of "something else".
    private let othersSum: S

    init(_ z: Buffer<S>, _ inverse: S, _ teacher: TeacherRows<S>, row: Int, of rows: Int) {
        let hasOthers: Bool
        switch teacher {
        case .logits(let logits, let shared):
            tokens = shared.student
            let count = shared.student.count
            hasOthers = count < z.count && count * rows < logits.count
        case .top(let tops):
            tokens = tops[row].tokens
            hasOthers = tops[row].rest != nil && tokens.count < z.count
        }
        let count = tokens.count
        x = Buffer(count: count + (hasOthers ? 1 : 0))
        y = Buffer(count: x.count)
        Self.gather(z, tokens, inverse, into: x)
        others = hasOthers ? Self.others(of: z, than: tokens, inverse) : nil
        othersSum = others.map { Self.logSumExp($0) } ?? 0
        if hasOthers { x[count] = othersSum }
        switch teacher {
        case .logits(let logits, let shared):
            let columns = logits.count / rows
            let own = logits[row * columns..<(row + 1) * columns]
            Self.gather(own, shared.teacher, inverse, into: y)
            if hasOthers {
                y[count] = Self.logSumExp(Self.others(of: own, than: shared.teacher, inverse))
            }
        case .top(let tops):
            for (place, value) in tops[row].logProbabilities.enumerated() { y[place] = S(value) }
            if hasOthers { y[count] = S(tops[row].rest ?? 0) }
        }
    }

    /// y[i] = inverse · z[ids[i]].
    private static func gather(_ z: Buffer<S>, _ ids: [Int32], _ inverse: S, into y: Buffer<S>) {
        let (from, to) = (z.base, y.base)
        for (place, id) in ids.enumerated() { to[place] = from[Int(id)] * inverse }
    }

    /// A copy of a tempered row without the weight of some tokens.
    private static func others(of z: Buffer<S>, than ids: [Int32], _ inverse: S) -> Buffer<S> {
        let copy = Buffer<S>(count: z.count)
        S.kernels.scale(z.count, z.base, Double(inverse), copy.base)
        for id in ids { copy.base[Int(id)] = -.infinity }
        return copy
    }

    private static func logSumExp(_ x: Buffer<S>) -> S {
        var (loss, sum): (S, S) = (0, 0)
        var target: Int32 = -1
        S.kernels.cross_entropy(1, x.count, x.base, &target, &loss, &sum)
        return sum
    }

    /// Outcomes whose terms are added in the type itself; part of the definition of the sums.
    private static var blockSize: Int { 1024 }

    /// The divergence; with a weight, `x` becomes weight · its gradient in the tempered logits.
    func diverge(_ divergence: Divergence, weight: S?) -> S {
        let (sumX, sumY) = (Self.logSumExp(x), Self.logSumExp(y))
        let block = Block<S>(divergence, count: min(Self.blockSize, x.count))
        var (loss, mean) = (0.0, 0.0)
        for first in stride(from: 0, to: x.count, by: Self.blockSize) {
            let part = first..<min(first + Self.blockSize, x.count)
            let sums = block.run(x[part], y[part], sumX, sumY)
            loss += sums.loss
            mean += sums.mean
        }
        guard let weight else { return S(loss) }
        let (change, student, center) = (x.base, y.base, S(mean))
        for index in 0..<x.count {
            change[index] = weight * (change[index] - student[index] * center)
        }
        return S(loss)
    }

    /// Writes the gradients of the outcomes where their tokens' logits were, 0 elsewhere.
    func scatter(into z: Buffer<S>) {
        if let others {
            let (row, to, sum) = (others.base, z.base, othersSum)
            for index in 0..<z.count { row[index] -= sum }
            S.kernels.activate(Int32(CK_EXP.rawValue), z.count, row, to)
            S.kernels.scale(z.count, to, Double(x[tokens.count]), to)
        } else {
            z.base.update(repeating: 0, count: z.count)
        }
        let (to, from) = (z.base, x.base)
        for (place, id) in tokens.enumerated() { to[Int(id)] = from[place] }
    }
}

/// The terms of a few outcomes.
private struct Block<S: KernelScalar> {
    private let (teacherWeight, studentWeight, mixture): (S, S, S)
    private let (student, teacher, ratio, share, terms):
        (
            Buffer<S>, Buffer<S>, Buffer<S>, Buffer<S>, Buffer<S>
        )

    init(_ divergence: Divergence, count: Int) {
        teacherWeight = S(divergence.teacherWeight)
        studentWeight = S(divergence.studentWeight)
        mixture = S(divergence.mixture)
        func numbers() -> Buffer<S> { Buffer(count: count) }
        (student, teacher, ratio, share, terms) = (
            numbers(), numbers(), numbers(), numbers(), numbers()
        )
    }

    /// Adds up a block's share of the loss, and of Σ S d.
    ///
    /// `x` and `y`, the logarithms of the student's and the teacher's weights, become S d and S.
    func run(_ x: Buffer<S>, _ y: Buffer<S>, _ sumX: S, _ sumY: S) -> (loss: Double, mean: Double) {
        let count = x.count
        let (a, b) = (x.base, y.base)
        let (s, t, r, f, terms) = (
            student.base, teacher.base, ratio.base, share.base, self.terms.base
        )
        for i in 0..<count {
            a[i] -= sumX
            b[i] -= sumY
            r[i] = b[i] - a[i]
        }
        activate(CK_EXP.rawValue, count, a, s)
        activate(CK_EXP.rawValue, count, b, t)
        // From here on a holds ln(M / S), b ln(T / M), and f is S / M.
        if mixture == 0 {
            for i in 0..<count { (a[i], b[i], f[i]) = (0, r[i], 1) }
        } else if mixture == 1 {
            for i in 0..<count { (a[i], b[i], f[i]) = (r[i], 0, 1) }
        } else {
            // M / S = mixture · e^r + 1 - mixture; the larger of the two weights is taken out.
            for i in 0..<count { a[i] = -abs(r[i]) }
            activate(CK_EXP.rawValue, count, a, f)
            for i in 0..<count {
                let small = r[i] > 0 ? 1 - mixture : mixture
                b[i] = (1 - small) + small * f[i]
                f[i] = (r[i] > 0 ? f[i] : 1) / b[i]
            }
            activate(CK_LOG.rawValue, count, b, b)
            for i in 0..<count {
                let logarithm = b[i]
                a[i] = max(r[i], 0) + logarithm
                b[i] = min(r[i], 0) - logarithm
            }
        }
        for i in 0..<count {
            let (ofTeacher, ofStudent) = (teacherWeight * t[i], studentWeight * s[i])
            terms[i] = ofTeacher * b[i] - ofStudent * a[i]
            a[i] = -ofStudent * a[i] - (1 - mixture) * (ofTeacher + ofStudent) * f[i]
            b[i] = s[i]
        }
        return (S.kernels.sum(count, terms), S.kernels.sum(count, a))
    }

    private func activate(
        _ function: UInt32,
        _ count: Int,
        _ x: UnsafeMutablePointer<S>,
        _ y: UnsafeMutablePointer<S>
    ) {
        S.kernels.activate(Int32(function), count, x, y)
    }
}
