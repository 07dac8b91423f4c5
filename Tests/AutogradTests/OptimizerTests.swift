import Autograd
import Basics
import Foundation
import Kernels
import Testing

@Suite struct OptimizerTests {
    /// The textbook update of one number, in the order of the algorithm box.
    private func reference(
        _ gradients: [Double],
        decay: Double,
        rate: Double,
        clip: Double
    ) -> Double {
        var (w, m, v) = (1.0, 0.0, 0.0)
        for (index, gradient) in gradients.enumerated() {
            let g = gradient * min(1, clip / abs(gradient))
            m = 0.9 * m + 0.1 * g
            v = 0.95 * v + 0.05 * g * g
            let t = Double(index + 1)
            let mHat = m / (1 - pow(0.9, t))
            let vHat = v / (1 - pow(0.95, t))
            w -= rate * decay * w
            w -= rate * mHat / (vHat.squareRoot() + 1e-8)
        }
        return w
    }

    @Test(arguments: [[1, 1], [1]]) func followsTheAlgorithm(_ shape: [Int]) {
        let gradients = [0.3, -0.2, 5, 0.01]
        let parameter = Parameter<Double>("w", Tensor([1], shape: shape))
        let optimizer = AdamW(
            [parameter],
            configuration: .init(weightDecay: 0.1, maximumGradientNorm: 1)
        )
        for gradient in gradients {
            parameter.on(Tape()).scaled(by: gradient).sum().backward()
            optimizer.step(learningRate: 0.05, gradientNorm: optimizer.gradientNorm())
        }
        let decay = shape.count > 1 ? 0.1 : 0
        let expected = reference(gradients, decay: decay, rate: 0.05, clip: 1)
        #expect(abs(parameter.value.item - expected) < 1e-12)
        #expect(parameter.gradient?.item == 0)
    }

    /// A slowly moving mean: rounded to the nearest bfloat16 both would end a fifth short.
    @Test func bfloat16MomentsAreRightOnAverage() throws {
        let count = 4099
        let gradients = (0..<count).map { 0.25 + Float($0 % 7) / 8 }
        let parameter = Parameter<Float>("w", Tensor(.zeros(count), shape: [count]))
        let optimizer = AdamW(
            [parameter],
            configuration: .init(
                beta1: 0.99,
                beta2: 0.999,
                maximumGradientNorm: .infinity,
                bfloat16Moments: true
            )
        )
        for _ in 0..<400 {
            let tape = Tape<Float>()
            let weights = tape.constant(Tensor(gradients, shape: [count]))
            (parameter.on(tape) * weights).sum().backward()
            optimizer.step(learningRate: 1e-3, gradientNorm: optimizer.gradientNorm())
        }
        let moments = try #require(optimizer.state.first).moments
        for (moment, beta, power) in [(moments.first, 0.99, 1.0), (moments.second, 0.999, 2)] {
            let ratios = zip(moment.array, gradients).map { moment, gradient in
                Double(moment) / pow(Double(gradient), power) / (1 - pow(beta, 400))
            }
            let mean = ratios.reduce(0, +) / Double(count)
            let spread = ratios.reduce(0) { max($0, abs($1 - 1)) }
            #expect(abs(mean - 1) < 0.003, "mean \(mean)")
            #expect(spread < 0.2, "spread \(spread)")
        }
    }

    @Test func bfloat16MomentsComeBackFromDiskUnchanged() {
        let numbers: [Float] = [0, 1, -1.5, 3.0e38, 1e-40, -0.01171875]
        let moments = AdamWMoments<Float>(count: numbers.count, bfloat16: true)
        moments.restore(first: Buffer(numbers), second: Buffer(numbers))
        let first = moments.first.array
        #expect(first[0...2] == [0, 1, -1.5] && first[5] == -0.01171875)
        let again = AdamWMoments<Float>(count: numbers.count, bfloat16: true)
        again.restore(first: moments.first, second: moments.second)
        #expect(again.first.array == first && again.second.array == moments.second.array)
    }

    @Test func fitsATinyNetwork() {
        // XOR: not linearly separable, so the hidden layer has to learn.
        let stream = RandomStream(seed: 7, name: "xor")
        let hidden = Parameter<Float>(
            "hidden",
            .normal([8, 3], standardDeviation: 1, stream: stream, item: 0)
        )
        let output = Parameter<Float>(
            "output",
            .normal([2, 8], standardDeviation: 1, stream: stream, item: 1)
        )
        let optimizer = AdamW([hidden, output])
        let x = Tensor<Float>([0, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1], shape: [4, 3])
        var loss: Float = .infinity
        for _ in 0..<200 {
            let tape = Tape<Float>()
            let y = tape.constant(x).linear(.dense(hidden.on(tape))).tanh()
                .linear(.dense(output.on(tape)))
                .crossEntropy(targets: [0, 1, 1, 0], coefficients: [0.25, 0.25, 0.25, 0.25])
            y.backward()
            loss = y.value.item
            optimizer.step(learningRate: 0.05, gradientNorm: optimizer.gradientNorm())
        }
        #expect(loss < 0.01)
    }

    @Test(arguments: [
        (0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (55, 0.5), (100, 0.0), (120, 0.0),
    ]) func scheduleWarmsUpAndFallsAsACosine(_ step: Int, _ expected: Double) {
        let schedule = CosineSchedule(peak: 1, warmupSteps: 10, totalSteps: 100)
        #expect(abs(schedule.learningRate(at: step) - expected) < 1e-12)
    }

    @Test(arguments: [0, 1]) func aSingleStepLearns(warmupSteps: Int) {
        let schedule = CosineSchedule(peak: 1, warmupSteps: warmupSteps, totalSteps: 1)
        #expect(schedule.learningRate(at: 0) == 1)
    }

    /// Cleared memory is overwritten, not added to, and reads as zero meanwhile.
    @Test func clearedGradientsCountForNothing() {
        let used = Parameter<Double>("used", Tensor([2, 3], shape: [1, 2]))
        let idle = Parameter<Double>("idle", Tensor([5], shape: [1]))
        let optimizer = AdamW([used, idle])
        for factor in [7.0, 1] {
            optimizer.clearGradients()
            used.on(Tape()).scaled(by: factor).sum().backward()
            if factor == 7 { idle.on(Tape()).scaled(by: factor).sum().backward() }
        }
        #expect(optimizer.gradientNorm() == 2.0.squareRoot())
        #expect(used.gradient?.elements == [1, 1])
        #expect(idle.gradient?.elements == [0])
    }
}
