import Benchmark

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .operationRate, .byteRate],
        maxDuration: .seconds(1),
        maxIterations: 200
    )
    registerDecoding()
    registerTraining()
}
