import Autograd
import Basics
import TestSupport
import Testing

@testable import Kernels

@Suite struct TapeTests {
    @Test func unrecordedOperationsOnlyCompute() {
        let x = Variable(Tensor<Double>([1, 2], shape: [1, 2]))
        #expect(!(x + x).isRecorded)
        #expect((x + x).value.elements == [2, 4])
    }

    @Test func constantsGetNoGradient() {
        let tape = Tape<Double>()
        let (x, c) = (tape.variable(.zeros([2])), tape.constant(.zeros([2])))
        let y = (x * c).sum()
        y.backward()
        #expect(tape.gradient(of: c) == nil)
        #expect(tape.gradient(of: x)?.elements == [0, 0])
    }

    @Test func longChainsAreReleasedWithoutRecursion() {
        let tape = Tape<Float>()
        let x = tape.variable(.zeros([1]))
        var y = x
        for _ in 0..<50_000 { y = y.scaled(by: 1) }
        tape.backward(from: y)
        #expect(tape.gradient(of: x)?.item == 1)
    }

    @Test func parametersAccumulateOverSweeps() {
        let parameter = Parameter<Double>("w", Tensor([3], shape: [1, 1]))
        parameter.unfreeze()
        for _ in 0..<2 {
            let w = parameter.on(Tape())
            (w * w).sum().backward()
        }
        #expect(parameter.gradient?.elements == [12])
    }

    /// The gradient handed on by an addition must not be shared by two owners.
    @Test func additionInADiamondAddsUpOnce() {
        let tape = Tape<Double>()
        let x = tape.variable(Tensor([2], shape: [1]))
        let a = x.scaled(by: 3)
        let b = a + x
        let c = a + b
        (b * c).sum().backward()
        // b = 4x, c = 7x, b·c = 28x²
        #expect(tape.gradient(of: x)?.elements == [112])
    }

    @Test func recomputationGivesTheSameBits() {
        func gradients(recomputing: Bool) -> [Float] {
            let w = Parameter<Float>(
                "w",
                .normal(
                    [4, 4],
                    standardDeviation: 1,
                    stream: RandomStream(seed: 1, name: "w"),
                    item: 0
                )
            )
            w.unfreeze()
            let tape = Tape<Float>()
            let x = tape.variable(Tensor([1, -2, 3, 0.5], shape: [1, 4]))
            let y = x.linear(.dense(w.on(tape))).recomputed(when: recomputing)
            (y * y).recomputed(when: recomputing).silu().sum().backward()
            return (w.gradient?.elements ?? []) + (tape.gradient(of: x)?.elements ?? [])
        }
        #expect(gradients(recomputing: true) == gradients(recomputing: false))
    }

    /// What uses a value that is computed again must not hold on to its memory by another way.
    @Test(arguments: [false, true], [false, true])
    func letsGoOfWhatItComputesAgain(isStored: Bool, hasUpdate: Bool) {
        let tape = Tape<Float>()
        func leaf(_ shape: [Int]) -> Variable<Float> { tape.variable(.zeros(shape)) }
        weak var memory: AnyObject?
        func loss() -> Variable<Float> {
            let x = leaf([2, 4]).rmsNorm(weight: leaf([4]), epsilon: 1e-6)
            memory = x.value.buffer.storage
            return x.linear(
                isStored ? .stored(.sines(rows: 3, columns: 4)) : .dense(leaf([3, 4])),
                bias: leaf([3]),
                update: hasUpdate ? LowRank(a: leaf([2, 4]), b: leaf([3, 2]), scale: 1) : nil
            )
            .sum()
        }
        let recorded = loss()
        #expect(memory == nil)
        recorded.backward()
    }
}
