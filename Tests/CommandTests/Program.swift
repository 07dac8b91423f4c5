import Basics
import Foundation

/// A folder for one test, removed with the object.
final class Scratch {
    private let root: URL

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "rsd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    var folder: String { root.path(percentEncoded: false) }
    func path(_ name: String) -> String { root.appending(path: name).path(percentEncoded: false) }
    func write(_ text: String, _ name: String) throws { try TextFile.write(text, to: path(name)) }

    /// Files below a folder, all or those of one name, sorted.
    func files(named name: String?, below: String) -> [String] {
        let start = path(below)
        let names =
            FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
        return names.filter { name == nil || $0 == name || $0.hasSuffix("/\(name ?? "")") }
            .sorted().map { "\(start)/\($0)" }
    }
}

/// One of the three programs, as built beside the tests.
struct Program {
    struct Result {
        let status: Int32
        let output: String
        let error: String
    }

    private let name: String
    private let folder: String

    init(_ name: String, in scratch: Scratch? = nil) {
        self.name = name
        // Without a folder of its own a command runs where the package is.
        folder =
            scratch?.folder
            ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path(percentEncoded: false)
    }

    /// Where the program is.
    var path: String { executable.path(percentEncoded: false) }

    private var executable: URL {
        Bundle.module.bundleURL.deletingLastPathComponent().appending(path: name)
    }

    private func process(_ arguments: [String], threads: Int? = nil) -> Process {
        let process = Process()
        if let threads {
            process.environment = ProcessInfo.processInfo.environment
                .merging(["RSD_THREADS": "\(threads)"]) { $1 }
        }
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        return process
    }

    /// Runs to the end.
    ///
    /// Output goes through files, as a full pipe would stop the program.
    func run(_ arguments: [String], threads: Int? = nil) throws -> Result {
        let streams = try Scratch()
        try streams.write("", "out")
        try streams.write("", "err")
        let process = process(arguments, threads: threads)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: streams.path("out"))
        process.standardError = FileHandle(forWritingAtPath: streams.path("err"))
        try process.run()
        process.waitUntilExit()
        func text(_ name: String) throws -> String {
            String(decoding: try TextFile.read(streams.path(name)), as: UTF8.self)
        }
        return Result(
            status: process.terminationStatus,
            output: try text("out"),
            error: try text("err")
        )
    }

    /// Starts and returns at once; what it prints is thrown away.
    func start(_ arguments: [String], input: Pipe? = nil) throws -> Process {
        let process = process(arguments)
        process.standardInput = input ?? FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Starts, and kills it with SIGKILL after some time.
    ///
    /// - Returns: Whether it was still running then.
    func run(_ arguments: [String], killedAfter seconds: Double) throws -> Bool {
        let process = try start(arguments)
        let deadline = ContinuousClock.now + .seconds(seconds)
        while process.isRunning, ContinuousClock.now < deadline { usleep(2_000) }
        let wasRunning = process.isRunning
        if wasRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return wasRunning && process.terminationReason == .uncaughtSignal
    }
}
