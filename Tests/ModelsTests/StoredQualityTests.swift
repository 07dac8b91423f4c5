import Autograd
import Basics
import Foundation
import Kernels
import Testing

@testable import Models

/// What the int8 products cost: next-token distributions of a published model with its matrices as
/// stored, beside those of the same numbers widened to float32.
///
/// Needs the environment variables RSD_MODELS (the folder of qwen2.5-coder-0.5b-instruct.gguf) and
/// RSD_DATA (that of gsm8k_test.jsonl).
@Suite struct StoredQualityTests {
    static var files: (model: String, text: String)? {
        let environment = ProcessInfo.processInfo.environment
        guard let models = environment["RSD_MODELS"], let data = environment["RSD_DATA"] else {
            return nil
        }
        let paths = (
            "\(models)/qwen2.5-coder-0.5b-instruct.gguf", "\(data)/gsm8k_test.jsonl"
        )
        let exist = [paths.0, paths.1].allSatisfy(FileManager.default.fileExists(atPath:))
        return exist ? paths : nil
    }

    /// The bounds leave room to what was measured over 2,177 positions: perplexity 0.2 % higher,
    /// 99.2 % of the most likely tokens the same; KL 0.0004 over 338 of them.
    @Test(
        .enabled(
            if: files != nil,
            "SKIPPED: set RSD_MODELS and RSD_DATA to the folders of Qwen2.5-Coder-0.5B and GSM8K"
        )
    )
    func storedWeightsKeepTheDistributions() throws {
        let (path, text) = try #require(Self.files)
        let problems = try JSONLines.read(text) { record in
            try "\(record.string("problem"))\n\(record.string("solution"))"
        }.prefix(Self.problemCount)
        let exact = try LanguageModel(path, storage: .float32)
        let stored = try LanguageModel(path, storage: .stored)
        var (divergence, logRatio) = (0.0, 0.0)
        var (equal, positions, targets) = (0, 0, 0)
        for problem in problems {
            let ids = try exact.tokenizer.encode(problem, specialTokens: .asText)
            let batch = TokenBatch([ids])
            let a = exact.transformer.logits(batch, wanted: Array(ids.indices))
            let b = stored.transformer.logits(batch, wanted: Array(ids.indices))
            for row in ids.indices {
                let (p, q) = (Distribution(a, row), Distribution(b, row))
                divergence += p.divergence(from: q)
                equal += p.best == q.best ? 1 : 0
                positions += 1
                guard row + 1 < ids.count else { continue }
                logRatio += p[ids[row + 1]] - q[ids[row + 1]]
                targets += 1
            }
        }
        let (mean, agreement) = (
            divergence / Double(positions), Double(equal) / Double(positions)
        )
        let perplexity = Foundation.exp(logRatio / Double(targets)) - 1
        print(
            "stored against float32, \(positions) positions: KL \(mean), perplexity "
                + "\(perplexity * 100) %, same most likely token \(agreement * 100) %"
        )
        #expect(mean >= 0 && mean < 0.0016)
        #expect(abs(perplexity) < 0.005)
        #expect(agreement > 0.97)
    }

    /// Problems looked at: RSD_QUALITY_PROBLEMS, or one, which keeps the test short.
    private static var problemCount: Int {
        ProcessInfo.processInfo.environment["RSD_QUALITY_PROBLEMS"].flatMap(Int.init) ?? 1
    }

    /// Natural logarithms of the probabilities in a row of logits.
    private struct Distribution {
        var logProbabilities: [Double]

        init(_ logits: Tensor<Float>, _ row: Int) {
            let x = logits.rows(row..<row + 1).elements.map(Double.init)
            let top = x.max() ?? 0
            let total = Foundation.log(x.reduce(0) { $0 + Foundation.exp($1 - top) }) + top
            logProbabilities = x.map { $0 - total }
        }

        subscript(token: Int32) -> Double { logProbabilities[Int(token)] }

        var best: Int? {
            logProbabilities.indices.max { logProbabilities[$0] < logProbabilities[$1] }
        }

        func divergence(from other: Distribution) -> Double {
            zip(logProbabilities, other.logProbabilities).reduce(0) {
                $0 + Foundation.exp($1.0) * ($1.0 - $1.1)
            }
        }
    }
}
