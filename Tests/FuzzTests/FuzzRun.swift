import Basics
import Experiments
import Foundation
import TestSupport
import Testing

/// A kind of file that the programs read, to be fed with damaged ones.
struct FuzzFormat: Sendable, CustomTestStringConvertible {
    /// What the format is called in options and tables.
    let name: String
    /// Makes what reads the inputs, once a process, with a folder to work in.
    let prepare: @Sendable (_ folder: String) throws -> any FuzzSubject

    var testDescription: String { name }
}

/// Makes inputs of one format, and reads them as the programs do.
protocol FuzzSubject {
    /// The next input.
    mutating func input(_ random: inout SplitMix) -> [UInt8]

    /// Reads an input, and uses what was read.
    ///
    /// - Throws: `Failure` for an input that is refused, `FuzzFault` for a promise that is broken.
    func use(_ input: [UInt8], _ random: inout SplitMix) throws
}

/// What should not happen with any input.
struct FuzzFault: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

/// Feeds a format with inputs, one after the other, and counts what becomes of them.
///
/// Input `n` of a format is the same in every run. Environment variables, which Tools/fuzz.py sets:
/// `RSD_FUZZ` how many inputs, `RSD_FUZZ_FIRST` the number of the first one, `RSD_FUZZ_FORMAT` the
/// only format to be tried, `RSD_FUZZ_STATE` a file that always holds `FuzzState` (so that whoever
/// started this process knows the input it died of), `RSD_FUZZ_FAULTS` a file to which faults are
/// added, `RSD_FUZZ_KEEP` a file for the last input.
struct FuzzRun {
    static let environment = ProcessInfo.processInfo.environment
    static let inputs = number("RSD_FUZZ") ?? 60
    static let first = number("RSD_FUZZ_FIRST") ?? 0

    /// Seconds that one input may take.
    static let mostSeconds = 10.0
    /// Bytes that reading may take beside four times the input.
    static let freeMemory = 64 << 20

    let format: FuzzFormat
    private(set) var state = FuzzState(path: environment["RSD_FUZZ_STATE"])
    private(set) var faults: [String] = []
    private let memory = PeakMemory()

    init(_ format: FuzzFormat) { self.format = format }

    private static func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }

    mutating func run(in folder: String) throws {
        var subject = try format.prepare(folder)
        let seed = format.name.utf8.reduce(UInt64(17)) { $0 &* 31 &+ UInt64($1) }
        for index in Self.first..<Self.first + Self.inputs {
            state.begin(index)
            var random = SplitMix(state: seed &+ UInt64(index) &* 0xD134_2543_DE82_EF95)
            let input = subject.input(&random)
            if let path = Self.environment["RSD_FUZZ_KEEP"] {
                try Data(input).write(to: URL(filePath: path))
            }
            try use(input, subject, &random, index)
        }
        state.begin(Self.first + Self.inputs)
    }

    private mutating func use(
        _ input: [UInt8],
        _ subject: any FuzzSubject,
        _ random: inout SplitMix,
        _ index: Int
    ) throws {
        let before = memory.restart()
        let start = ContinuousClock.now
        do {
            try subject.use(input, &random)
            state.accepted += 1
        } catch is Failure { state.refused += 1 } catch let fault as FuzzFault {
            add(fault.message, index)
        } catch { add("not a Failure: \(error)", index) }
        let nanoseconds = UInt64((ContinuousClock.now - start) / .nanoseconds(1))
        let bytes = UInt64(max(0, memory.peak - before))
        if nanoseconds > state.slowest { state.slowest = nanoseconds; state.slowestIndex = index }
        if bytes > state.mostMemory { (state.mostMemory, state.mostMemoryIndex) = (bytes, index) }
        if Double(nanoseconds) > Self.mostSeconds * 1e9 {
            add("took \(Double(nanoseconds) / 1e9) s", index)
        }
        if bytes > UInt64(Self.freeMemory + 4 * input.count) {
            add("took \(bytes) bytes of memory for a file of \(input.count)", index)
        }
    }

    private mutating func add(_ message: String, _ index: Int) {
        let line = message.split(separator: "\n").joined(separator: " ").prefix(300)
        faults.append("input \(index): \(line)")
        state.faults += 1
        guard let path = Self.environment["RSD_FUZZ_FAULTS"],
            let file = FileHandle(forWritingAtPath: path)
        else { return }
        _ = try? file.seekToEnd()
        try? file.write(contentsOf: Data("\(index)\t\(line)\n".utf8))
    }
}

/// How far a run is, in a file that outlives the process.
///
/// Eight little-endian 64-bit numbers in the order of the properties; a process goes on with the
/// counts that it finds there.
struct FuzzState {
    private(set) var index = 0
    var accepted = 0
    var refused = 0
    var faults = 0
    /// Nanoseconds of the slowest input.
    var slowest: UInt64 = 0
    var slowestIndex = 0
    /// Bytes of the input that took the most.
    var mostMemory: UInt64 = 0
    var mostMemoryIndex = 0

    private var file: FileHandle?

    init(path: String?) {
        guard let path, let file = FileHandle(forUpdatingAtPath: path) else { return }
        self.file = file
        let data = (try? file.readToEnd()) ?? Data()
        guard data.count == 64 else { return }
        let numbers = stride(from: 0, to: 64, by: 8).map { start in
            data[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        (accepted, refused, faults) = (Int(numbers[1]), Int(numbers[2]), Int(numbers[3]))
        (slowest, slowestIndex) = (numbers[4], Int(numbers[5]))
        (mostMemory, mostMemoryIndex) = (numbers[6], Int(numbers[7]))
    }

    /// Notes that an input is about to be read.
    mutating func begin(_ index: Int) {
        self.index = index
        guard let file else { return }
        let numbers = [
            UInt64(index), UInt64(accepted), UInt64(refused), UInt64(faults), slowest,
            UInt64(slowestIndex), mostMemory, UInt64(mostMemoryIndex),
        ]
        let bytes = numbers.flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
        }
        bytes.withUnsafeBytes { _ = pwrite(file.fileDescriptor, $0.baseAddress, $0.count, 0) }
    }
}

/// The most memory that this process has had since it was last asked.
struct PeakMemory {
    private let reset = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)

    /// Forgets the peak.
    ///
    /// - Returns: The bytes that are resident now.
    func restart() -> Int {
        _ = "5".withCString { pwrite(reset, $0, 1, 0) }
        return peak
    }

    /// The peak of resident memory in bytes.
    var peak: Int { RunEnvironment.peakMemoryBytes }
}
