import Basics
import Experiments
import Foundation
import TestSupport
import Testing

@testable import Training

/// Event files against those that TensorBoard writes; see Tools/event_files.py, which made the fixture.
@Suite struct EventFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func date(_ seconds: Double) -> Date { Date(timeIntervalSince1970: seconds) }

    private var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path) }
    }

    private var written: [UInt8] {
        get throws {
            let name = try #require(try files.first)
            return [UInt8](try Data(contentsOf: URL(filePath: folder.file(name))))
        }
    }

    private static let loss = "train/loss"

    /// Writes the events of the fixture.
    private func writeFixture() throws {
        let start = date(1_700_000_000)
        let file = try EventFile(folder: folder.path, keepingStepsBelow: 0, now: start)
        try file.append(
            step: 0,
            [(Self.loss, 2.5), ("train/learning_rate", 1e-5)],
            at: date(1_700_000_000.25)
        )
        try file.append(
            step: 1,
            [(Self.loss, -0.0), ("train/gradient_norm", 3.4e38)],
            at: date(1_700_000_001.5)
        )
        try file.append(step: 300, [(Self.loss, .infinity)], at: date(1_700_000_002))
    }

    @Test func writesTheBytesOfTensorBoard() throws {
        let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        let expected = try Data(contentsOf: fixtures.appending(path: "events.tfevents"))
        try writeFixture()
        #expect(try written == [UInt8](expected))
        let name = try #require(try files.first)
        #expect(name.hasPrefix("events.out.tfevents.1700000000."))
    }

    @Test func checksumsAreThoseOfTheStandard() {
        // RFC 3720, appendix B.4: 32 zeros, 32 ones, and 0 to 31.
        func unmasked(_ bytes: [UInt8]) -> UInt32 {
            let masked = TFRecord.checksum(bytes) &- 0xA282_EAD8
            return masked >> 17 | masked << 15
        }
        #expect(unmasked(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(unmasked(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(unmasked(Array(0..<32)) == 0x46DD_794E)
    }

    @Test func resumingRepeatsNoStep() throws {
        try writeFixture()
        let whole = try written
        // Killed in the middle of a record, at every byte.
        let path = folder.file(try #require(try files.first))
        for length in stride(from: 0, through: whole.count, by: 7) {
            try Data(whole.prefix(length)).write(to: URL(filePath: path))
            let file = try EventFile(folder: folder.path, keepingStepsBelow: 1)
            try file.append(step: 1, [(Self.loss, 7)])
            let steps = TFRecord.payloads(of: try written).map(Event.step)
            let keepsFirst = TFRecord.payloads(of: Array(whole.prefix(length))).count >= 2
            #expect(steps == (keepsFirst ? [nil, 0, 1] : [nil, 1]), "\(length) bytes")
            #expect(try files.count == 1)
        }
    }

    /// Zeros or garbage in the middle cost the records they hit, and no other.
    @Test func goesOnBehindDamage() throws {
        try writeFixture()
        let whole = try written
        let records = TFRecord.payloads(of: whole)
        #expect(records.count == 4)
        var start = TFRecord.frame(records[0]).count
        for damaged in 1...3 {
            let end = start + TFRecord.frame(records[damaged]).count
            for byte in [UInt8(0), 0xA5] {
                var file = whole
                for place in start + 3..<end - 2 { file[place] = byte }
                var expected = records
                expected.remove(at: damaged)
                #expect(TFRecord.payloads(of: file) == expected, "record \(damaged)")
            }
            start = end
        }
    }

    static let python = ProcessInfo.processInfo.environment["RSD_PYTHON"]

    @Test(.enabled(if: python != nil, "SKIPPED: set RSD_PYTHON to a python3 with tensorboard"))
    func tensorBoardReadsIt() throws {
        try writeFixture()
        let again = try EventFile(folder: folder.path, keepingStepsBelow: 300)
        try again.append(step: 300, [(Self.loss, 0.5)])
        let script = URL(filePath: #filePath).appending(path: "../../../Tools/event_files.py")
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.python))
        process.arguments = ["read", folder.path]
        process.arguments?.insert(script.standardizedFileURL.path(percentEncoded: false), at: 0)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try #require(try output.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let found = try JSON(parsing: text)
        #expect(found[Self.loss]?.compact == "[[0,2.5],[1,-0.0],[300,0.5]]")
        #expect(found["train/learning_rate"]?.array?.count == 1)
    }
}
