import Autograd
import Basics
import Foundation
import Kernels
import Models

extension TrainingBenchmark {
    /// The speed of each kind of matrix products at the shapes of a step, as a table.
    ///
    /// - Throws: `Failure.configuration` for a shape that is not known; what loading a model throws.
    public func compareProducts() throws -> String {
        let kinds = ProductArithmetic.allCases
        let header =
            "GFLOP/s of \(name), \(rows) tokens, \(ThreadPool.threadCount) threads, "
            + "\(CPU.instructionSet), OpenBLAS's \(CPU.openBLASCore) kernels"
        var lines = [
            header, "",
            "| product | " + kinds.map(\.rawValue).joined(separator: " | ") + " | "
                + "float32 / openBLAS |",
            "| :--- |" + kinds.map { _ in " ---: |" }.joined() + " ---: |",
        ]
        var totals: [ProductArithmetic: Double] = [:]
        var operations = 0.0
        for (shape, count) in productShapes(try configuration(), rows: rows) {
            let measured = ProductComparison(shape, kinds).seconds
            lines.append(row(shape.name, shape.operations, measured))
            operations += Double(count) * shape.operations
            for kind in kinds { totals[kind, default: 0] += Double(count) * (measured[kind] ?? 0) }
        }
        lines.append(row("all of a step", operations, totals))
        return lines.joined(separator: "\n") + "\n"
    }

    private var rows: Int { min(lengths.reduce(0, +), microBatchTokens) }

    private func row(
        _ name: String,
        _ operations: Double,
        _ seconds: [ProductArithmetic: Double]
    ) -> String {
        let rates = ProductArithmetic.allCases.map {
            String(format: "%.0f", operations / (seconds[$0] ?? .infinity) / 1e9)
        }
        let ratio = (seconds[.openBLAS] ?? 0) / (seconds[.float32] ?? 1)
        return "| \(name) | \(rates.joined(separator: " | ")) | " + String(format: "%.2f |", ratio)
    }

    /// The products of a step, and how often each occurs.
    private func productShapes(_ model: ModelConfiguration, rows: Int)
        -> [(shape: ProductComparison.Shape, count: Int)]
    {
        let queries = model.queryHeadCount * model.headDimension
        let keys = model.keyValueHeadCount * model.headDimension
        let maps = [
            ("q", model.hiddenSize, queries, 1), ("k, v", model.hiddenSize, keys, 2),
            ("o", queries, model.hiddenSize, 1),
            ("gate, up", model.hiddenSize, model.intermediateSize, 2),
            ("down", model.intermediateSize, model.hiddenSize, 1),
        ]
        let head = min(rows, Variable<Float>.headRowsAtOnce(vocabularySize: model.vocabularySize))
        return maps.flatMap { name, inputs, outputs, count in
            ProductComparison.Shape.linear(name, rows: rows, inputs: inputs, outputs: outputs)
                .map { ($0, count * model.layerCount) }
        }
            + ProductComparison.Shape.linear(
                "head",
                rows: head,
                inputs: model.hiddenSize,
                outputs: model.vocabularySize
            ).map { ($0, (rows + head - 1) / head) }
    }
}
