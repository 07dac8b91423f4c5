import Benchmark
import Kernels

/// Matrix products and the optimiser as a step of fine-tuning Qwen3-0.6B does them.
func registerTraining() {
    let (tokens, hidden, inner) = (512, 1024, 3072)
    let operations = 2 * Double(tokens * hidden * inner)
    let bytes = 4 * Double(tokens * hidden + tokens * inner + hidden * inner)
    measure(
        "qwen3-0.6b/gate_proj forward, 512 tokens",
        Work(operations: operations, bytes: bytes)
    ) {
        let (x, weight) = (numbers(tokens * hidden), numbers(inner * hidden))
        let y = Buffer<Float>(count: tokens * inner)
        return { gemm(x, weight, transposeB: true, into: y, m: tokens, n: inner, k: hidden) }
    }
    measure(
        "qwen3-0.6b/gate_proj weight gradient, 512 tokens",
        Work(operations: operations, bytes: bytes)
    ) {
        let (x, g) = (numbers(tokens * hidden), numbers(tokens * inner))
        let gradient = Buffer<Float>(count: inner * hidden)
        return { gemm(g, transposeA: true, x, into: gradient, m: inner, n: hidden, k: tokens) }
    }
    // One thread's caches hold none of it: four arrays are read and three written.
    let count = 16 << 20
    measure("adamw, 16 Mi parameters", Work(operations: 0, bytes: 7 * 4 * Double(count))) {
        let (weights, gradients) = (numbers(count), numbers(count))
        let moments = AdamWMoments<Float>(count: count, bfloat16: false)
        return {
            adamW(
                AdamWStep(learningRate: 1e-5, step: 1),
                weights: weights,
                gradients: gradients,
                moments: moments
            )
        }
    }
}
