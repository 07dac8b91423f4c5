import Basics
import Foundation
import Records
import TestSupport
import Testing

@testable import Training

@Suite struct MetricsTests {
    /// Opens the files of a run that goes on at a step.
    private func open(_ folder: TemporaryFolder, at step: Int, warn: (String) -> Void) throws {
        _ = try MetricsLog(
            folder: folder.path,
            at: step,
            sinks: MetricsLog.files(in: folder.path),
            warn: warn
        )
    }

    /// Pages of zeros or garbage cost the rows they hit; the others stay, and the loss is told.
    @Test(arguments: [UInt8(0), 0xA5, 0x0A])
    func keepsMetricsAroundADamagedPage(filling: UInt8) throws {
        func row(_ step: Int) -> String {
            "{\"step\":\(step),\"loss\":1.5,\"learning_rate\":0.001,\"gradient_norm\":null,"
                + "\"tokens\":3,\"seconds\":0.25}\n"
        }
        let folder = try TemporaryFolder()
        let path = folder.file("metrics.jsonl")
        var bytes = Array((0..<200).map(row).joined().utf8)
        for place in 4096..<8192 { bytes[place] = filling }
        try TextFile.write(Data(bytes), to: path)
        let lost = (0..<200).filter { step in
            let start = (0..<step).reduce(0) { $0 + row($1).utf8.count }
            return start + row(step).utf8.count - 1 > 4096 && start < 8192
        }
        var warnings: [String] = []
        try open(folder, at: 150) { warnings.append($0) }
        let kept = (0..<150).filter { !lost.contains($0) }
        #expect(try TextFile.read(path) == Data(kept.map(row).joined().utf8))
        let table = String(decoding: try TextFile.read(folder.file("metrics.csv")), as: UTF8.self)
        #expect(table.split(separator: "\n").count == kept.count + 1)
        #expect(table.hasSuffix("\n149,1.5,0.001,null,3,0.25\n"))
        #expect(warnings.count == 1)
        let warning = warnings.first ?? ""
        #expect(
            warning.contains(
                "\(lost.count) steps have no row (\(lost[0]) to \(lost[lost.count - 1]))"
            ),
            "\(warning)"
        )
        // Line breaks that stand for nothing hide what they replaced, but for its ends.
        #expect(
            warning.contains("damaged and left out (\(lost[0] + 1)")
                == true,
            "\(warning)"
        )
        try open(folder, at: 20) { warnings.append($0) }
        #expect(warnings.count == 1, "what is done again is not lost")
    }

    @Test func writesMetricsThroughNoLink() throws {
        let folder = try TemporaryFolder()
        let mine = folder.file("mine")
        try TextFile.write("mine", to: mine)
        for name in ["metrics.jsonl", "metrics.csv", "events.out.tfevents.1.host"] {
            #expect(symlink(mine, folder.file(name)) == 0)
        }
        try open(folder, at: 0) { _ in }
        #expect(try TextFile.read(mine) == Data("mine".utf8))
    }

    /// Lines that earlier versions wrote, and those of an objective that reports more.
    @Test(arguments: [
        "{\"step\":3,\"loss\":1.5,\"learning_rate\":1e-05,\"gradient_norm\":null,\"tokens\":7,"
            + "\"seconds\":0.1235}",
        "{\"step\":0,\"loss\":null,\"learning_rate\":0.0,\"gradient_norm\":2.0,\"tokens\":0,"
            + "\"seconds\":12.0,\"kl\":0.25,\"sampling_seconds\":null}",
    ]) func keepsWhatItReads(_ line: String) throws {
        let row = try StepMetrics(json: JSON(parsing: line))
        #expect(row.json.compact == line)
        let folder = try TemporaryFolder()
        try TextFile.write(line + "\n", to: folder.file("metrics.jsonl"))
        try open(folder, at: 4) { _ in }
        #expect(try TextFile.read(folder.file("metrics.jsonl")) == Data((line + "\n").utf8))
    }

    @Test(arguments: ["\"a\"", "true", "-1", "1.5"]) func refusesTokensThatAreNoCount(
        _ tokens: String
    )
        throws
    {
        let json = try JSON(parsing: "{\"step\":1,\"loss\":1,\"tokens\":\(tokens)}")
        let failure = #expect(throws: Failure.self) { try StepMetrics(json: json) }
        #expect(failure?.place == "'tokens'")
    }
}
