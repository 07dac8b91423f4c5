import Benchmark
import Kernels

/// The matrices of a layer that share an input, or the head, of Qwen2.5-0.5B in a Q4_K_M file.
private struct Place {
    var name: String
    var format: BlockFormat
    var outputs: [Int]
    var inputs: Int

    static let all = [
        Place(name: "qkv", format: .q5_0, outputs: [896, 128, 128], inputs: 896),
        Place(name: "gate_up", format: .q5_0, outputs: [4864, 4864], inputs: 896),
        Place(name: "down", format: .q6_K, outputs: [896], inputs: 4864),
        Place(name: "down", format: .q4_K, outputs: [896], inputs: 4864),
        Place(name: "head", format: .q8_0, outputs: [151_936], inputs: 896),
    ]

    func work(batch: Int) -> Work {
        let numbers = outputs.reduce(0, +) * inputs
        return Work(
            operations: 2 * Double(batch * numbers),
            bytes: Double(numbers / format.blockSize * format.bytesPerBlock)
        )
    }

    func prepare(batch: Int) -> () -> Void {
        let products = outputs.map { rows in
            StoredProduct<Float>(
                weight: Blocks.matrix(format, rows: rows, columns: inputs),
                bias: nil,
                output: Buffer(count: batch * rows)
            )
        }
        let x = numbers(batch * inputs)
        return { linear(x, rows: batch, products) }
    }
}

/// One step's attention of some sequences with the given past, keys and values in pages.
private func attention(batch: Int, past: Int) -> () -> Void {
    let shape = AttentionShape(queryHeads: 14, keyValueHeads: 2, headDimension: 64)
    let (row, width) = (14 * 64, 2 * 64)
    let queries = numbers(batch * row)
    let output = Buffer<Float>(count: batch * row)
    let length = KeyValuePage<Float>.length
    let segments = (0..<batch).map { sequence in
        var pages = KeyValuePages<Float>(layerCount: 1, width: width)
        for _ in 0...past / length { pages.append(numbers(2 * length * width)) }
        return AttentionSegment(
            start: sequence,
            count: 1,
            past: past,
            memory: .pages(pages, layer: 0)
        )
    }
    return {
        causalAttention(
            queries: queries,
            segments: segments,
            shape: shape,
            into: output,
            logSumExp: nil
        )
    }
}

/// Products, attention and sampling as a step of decoding does them.
func registerDecoding() {
    for place in Place.all {
        for batch in [1, 8, 16] {
            measure(
                "qwen2.5-0.5b/\(place.name) \(place.format.name), batch \(batch)",
                place.work(batch: batch)
            ) { place.prepare(batch: batch) }
        }
    }
    for past in [512, 2048] {
        for batch in [1, 16] {
            let pairs = Double(batch * past * 64)
            measure(
                "qwen2.5-0.5b/attention, \(past) positions, batch \(batch)",
                Work(operations: 4 * 14 * pairs, bytes: 2 * 2 * 4 * pairs)
            ) { attention(batch: batch, past: past) }
        }
    }
    let vocabulary = 151_936
    measure(
        "qwen2.5-0.5b/sampling, one row",
        Work(operations: 0, bytes: 4 * Double(vocabulary))
    ) {
        let logits = numbers(vocabulary)
        return { blackHole(LogitSummary(logits, temperature: 0.7).temperedSum) }
    }
}
