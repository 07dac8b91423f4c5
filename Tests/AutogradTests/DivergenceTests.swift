import Autograd
import Basics
import Foundation
import Kernels
import TestSupport
import Testing

/// Divergences from a teacher: their gradients, TRL's values, and cases worked out by hand.
@Suite struct DivergenceTests {
    static let all: [(name: String, Divergence)] = [
        ("forward-kl", .forwardKL), ("reverse-kl", .reverseKL),
        ("jsd 0.3", .jensenShannon(beta: 0.3)), ("skew-kl 0.1", .skewKL(alpha: 0.1)),
    ]

    static func wave(_ count: Int, by factor: Double) -> [Double] {
        (0..<count).map { 2 * sin(Double($0) * factor + 0.5) }
    }

    /// A teacher of nine tokens: the same seven first, or five of them in another order.
    static func logits(_ rows: [Int32], _ shared: SharedTokens, vocabulary: Int)
        -> TeacherRows<Double>
    {
        let values = rows.flatMap { wave(vocabulary, by: 1.3 + Double($0)) }
        return .logits(Buffer(values), shared)
    }

    static let same = SharedTokens(student: Array(0..<7), teacher: Array(0..<7))
    static let some = SharedTokens(student: [0, 2, 3, 6, 4], teacher: [8, 1, 3, 0, 5])

    static let teachers: [(name: String, @Sendable ([Int32]) -> TeacherRows<Double>)] = [
        ("the same tokens", { logits($0, same, vocabulary: 7) }),
        ("something else on one side", { logits($0, same, vocabulary: 9) }),
        ("shared tokens", { logits($0, some, vocabulary: 9) }),
        (
            "most likely tokens",
            { rows in
                .top(
                    rows.map { row in
                        row % 2 == 0
                            ? TopTokens(
                                tokens: [5, 1],
                                logProbabilities: [log(0.5), log(0.25)],
                                rest: log(0.25)
                            )
                            : TopTokens(
                                tokens: [3],
                                logProbabilities: [log(0.875)],
                                rest: log(0.125)
                            )
                    }
                )
            }
        ),
    ]

    static let operations: [OperationCase] = all.flatMap { name, divergence in
        teachers.flatMap { title, teacher in
            [(1.0, 1.0), (2.5, 0.6)].map { temperature, weight in
                let loss = DistributionLoss(divergence, temperature: temperature, weight: weight)
                return OperationCase("\(name), \(title), \(weight)", [[5, 3], [7, 3]]) { inputs in
                    Variable.headDivergence(
                        loss,
                        hidden: inputs[0],
                        head: .dense(inputs[1]),
                        targets: GradientTests.targets,
                        coefficients: GradientTests.coefficients,
                        teacher: teacher
                    ).loss
                }
            }
        }
    }

    @Test(arguments: operations) func matchesFiniteDifferences(_ operation: OperationCase) {
        let error = worstGradientError(operation, seed: 0xD1FF)
        #expect(error <= 1e-7)  // false for NaN as well
    }

    /// What a divergence is, and its gradient, for rows of logits.
    private func run<S: KernelScalar>(
        _ loss: DistributionLoss,
        student: [S],
        teacher: TeacherRows<S>,
        targets: [Int32]
    ) -> (loss: Double, divergence: Double, gradient: [S]) {
        let (rows, columns) = (targets.count, student.count / targets.count)
        let tape = Tape<S>()
        let hidden = tape.variable(Tensor(student, shape: [rows, columns]))
        // The head is the identity, so that the logits are the hidden states.
        let identity = (0..<columns * columns).map { S($0 % (columns + 1) == 0 ? 1 : 0) }
        let (total, parts) = Variable.headDivergence(
            loss,
            hidden: hidden,
            head: .dense(Variable(Tensor(identity, shape: [columns, columns]))),
            targets: targets,
            coefficients: targets.map { _ in 1 / S(rows) }
        ) { wanted in
            guard case .logits(let logits, let shared) = teacher else { return teacher }
            let width = logits.count / rows
            return .logits(
                Buffer(wanted.flatMap { logits.array[Int($0) * width..<(Int($0) + 1) * width] }),
                shared
            )
        }
        total.backward()
        let gradient = tape.gradient(of: hidden)?.elements ?? []
        return (Double(total.value.item), parts.divergence, gradient)
    }

    @Test func agreesWithTRL() throws {
        let path = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
            .appending(path: "objectives.json").path(percentEncoded: false)
        let record = try TextFile.readJSON(path)
        let (rows, vocabulary) = (try record.integer("rows"), try record.integer("vocabulary"))
        let shared = SharedTokens(
            student: Array(0..<Int32(vocabulary)),
            teacher: Array(0..<Int32(vocabulary))
        )
        let cases = try record.array("cases")
        #expect(cases.count == 14 && rows == 3)
        for one in cases {
            let (name, parameter) = (try one.string("name"), try one.number("parameter"))
            let divergence: Divergence =
                switch name {
                case "forward-kl": .forwardKL
                case "reverse-kl": .reverseKL
                case "jsd": .jensenShannon(beta: parameter)
                default: .skewKL(alpha: parameter)
                }
            let loss = DistributionLoss(
                divergence,
                temperature: try one.number("temperature"),
                weight: try one.number("weight")
            )
            func check<S: KernelScalar>(_ type: S.Type, within tolerance: Double) throws {
                let found = run(
                    loss,
                    student: try one.numbers("student").map { S($0) },
                    teacher: .logits(Buffer(try one.numbers("teacher").map { S($0) }), shared),
                    targets: try one.integers("targets").map(Int32.init)
                )
                let place = "\(name) \(parameter) \(S.self)"
                #expect(abs(found.loss - (try one.number("loss"))) <= tolerance, "\(place)")
                let divergence = try one.number("divergence")
                #expect(abs(found.divergence - divergence) <= tolerance, "\(place)")
                let expected = try one.numbers("gradient")
                #expect(found.gradient.count == expected.count)
                let worst = zip(found.gradient, expected).map { abs(Double($0) - $1) }.max()
                #expect(worst ?? .infinity <= tolerance, "\(place)")
            }
            try check(Double.self, within: 1e-8)
            try check(Float.self, within: 1e-5)
        }
    }

    @Test(arguments: all) func isNothingForEqualModels(_ name: String, _ divergence: Divergence) {
        let student = Self.wave(14, by: 0.7).map { Float($0) }
        let found = run(
            DistributionLoss(divergence),
            student: student,
            teacher: .logits(Buffer(student), Self.same),
            targets: [0, 1]
        )
        #expect(found.loss == 0)
        let largest = found.gradient.map(abs).max() ?? .infinity
        #expect(largest < 1e-6)
    }

    /// The student's tokens are a, b, c, the teacher's b, a, d: c and d are "something else".
    @Test func twoVocabulariesByHand() {
        let student = [0.5, 0.25, 0.25].map { log($0) }
        let teacher = [0.125, 0.25, 0.625].map { log($0) }
        func loss(_ divergence: Divergence) -> (loss: Double, gradient: [Double]) {
            let found = run(
                DistributionLoss(divergence),
                student: student,
                teacher: .logits(
                    Buffer(teacher),
                    SharedTokens(student: [0, 1], teacher: [1, 0])
                ),
                targets: [0]
            )
            return (found.loss, found.gradient)
        }
        // S = (1/2, 1/4, 1/4) and T = (1/4, 1/8, 5/8) of a, b and something else.
        let forward = loss(.forwardKL)
        #expect(abs(forward.loss - (0.375 * log(0.5) + 0.625 * log(2.5))) < 1e-12)
        #expect(zip(forward.gradient, [0.25, 0.125, -0.375]).allSatisfy { abs($0 - $1) < 1e-12 })
        let reverse = loss(.reverseKL)
        #expect(abs(reverse.loss - (0.75 * log(2) + 0.25 * log(0.4))) < 1e-12)
        let skewed = loss(.skewKL(alpha: 0.5))
        let expected =
            0.25 * log(0.25 / 0.375) + 0.125 * log(0.125 / 0.1875) + 0.625 * log(0.625 / 0.4375)
        #expect(abs(skewed.loss - expected) < 1e-12)
    }

    /// A teacher's n most likely tokens with the rest are the whole distribution where n is all but
    /// one.
    @Test func mostLikelyTokensAreTheWhole() {
        let (student, teacher) = (Self.wave(7, by: 0.9), Self.wave(7, by: 0.4))
        let sum = teacher.reduce(0) { $0 + exp($1) }
        let logarithms = teacher.map { Float($0 - log(sum)) }
        for (name, divergence) in Self.all {
            let loss = DistributionLoss(divergence)
            let whole = run(
                loss,
                student: student,
                teacher: .logits(Buffer(teacher), Self.same),
                targets: [3]
            )
            let top = run(
                loss,
                student: student,
                teacher: .top([
                    TopTokens(
                        tokens: [6, 0, 2, 1, 5, 4],
                        logProbabilities: [6, 0, 2, 1, 5, 4].map { logarithms[$0] },
                        rest: logarithms[3]
                    )
                ]),
                targets: [3]
            )
            #expect(abs(whole.loss - top.loss) < 1e-6, "\(name)")
            let worst = zip(whole.gradient, top.gradient).map { abs($0 - $1) }.max() ?? .infinity
            #expect(worst < 1e-6, "\(name)")
        }
    }

    /// Neither side's numbers overflow where one finds impossible what the other is sure of.
    @Test(arguments: all) func staysFinite(_ name: String, _ divergence: Divergence) {
        let found = run(
            DistributionLoss(divergence),
            student: [300, 0, -300] as [Float],
            teacher: .logits(
                Buffer([-300, 0, 300]),
                SharedTokens(student: [0, 1, 2], teacher: [0, 1, 2])
            ),
            targets: [0]
        )
        #expect(found.loss.isFinite && found.gradient.allSatisfy(\.isFinite), "\(name)")
        #expect(found.loss > 0.1)
    }
}
