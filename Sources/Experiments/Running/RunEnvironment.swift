import Basics
import Checkpoints
import Foundation
import Kernels

/// What a program can learn about itself and its machine.
public enum RunEnvironment {
    /// The surroundings of this process, for a manifest.
    public static func surroundings() -> Manifest.Surroundings {
        Manifest.Surroundings(
            command: commandLine(CommandLine.arguments),
            commit: gitCommit(results: RunLayout.resultsRoot()),
            libraries: [
                ("swift", swiftVersion), ("openblas", CPU.openBLASVersion),
                ("hdf5", HDF5Checkpoint.libraryVersion),
            ],
            machine: [
                "cpu": .string(CPU.modelName),
                "cores": .integer(ProcessInfo.processInfo.activeProcessorCount),
                "threads": .integer(ThreadPool.threadCount),
                "instruction_set": .string(CPU.instructionSet),
                "openblas_core": .string(CPU.openBLASCore),
                "memory_bytes": .integer(Int(clamping: ProcessInfo.processInfo.physicalMemory)),
                "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
            ]
        )
    }

    /// Most memory that the process has held so far, in bytes.
    public static var peakMemoryBytes: Int {
        #if os(Linux)
            // A new process takes over its parent's `ru_maxrss`; this mark is its own.
            let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
            let mark = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            let own = mark?.split(separator: " ").compactMap { Int($0) }.first
            return (own ?? usage?.ru_maxrss ?? 0) * 1024
        #else
            return usage?.ru_maxrss ?? 0
        #endif
    }

    /// How often this process has been given a page of memory so far.
    public static var pageFaults: Int { Int(usage?.ru_minflt ?? 0) }

    private static var usage: rusage? {
        var usage = rusage()
        #if os(Linux)
            let own = __rusage_who_t(RUSAGE_SELF.rawValue)
        #else
            let own = RUSAGE_SELF
        #endif
        return getrusage(own, &usage) == 0 ? usage : nil
    }

    /// Memory that can still be had without swapping, in bytes; nil where the system does not tell.
    public static var availableMemoryBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return kibibytes * 1024
    }

    /// Memory that this process can have in all: what is available and what it holds already, or less
    /// where its address space or its container is limited.
    public static var attainableMemoryBytes: Int? {
        guard let availableMemoryBytes,
            let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        else { return nil }
        let pages = text.split(separator: " ").compactMap { Int($0) }
        // Resident pages less those that belong to files.
        let held = pages.count > 2 ? (pages[1] - pages[2]) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
        return ([availableMemoryBytes + held] + memoryLimits).min()
    }

    /// `ulimit -v`, and the limit of the container (cgroup version 2).
    private static var memoryLimits: [Int] {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        let container = try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)
        return [
            Int(clamping: limit.rlim_cur),
            container.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) },
        ].compactMap(\.self)
    }

    /// The compiler's language version, the closest that a program can tell of its own building.
    static var swiftVersion: String {
        #if compiler(>=6.3)
            "6.3 or later"
        #elseif compiler(>=6.2)
            "6.2"
        #else
            "6.1"
        #endif
    }

    /// A path as results may show it: relative to the working directory, or the last name alone.
    public static func relative(_ path: String) -> String {
        guard path.hasPrefix("/") else { return path }
        let here = FileManager.default.currentDirectoryPath
        if path == here { return "." }
        if path.hasPrefix(here + "/") { return String(path.dropFirst(here.count + 1)) }
        return String(path.split(separator: "/").last ?? "/")
    }

    /// A command line as results may show it: the program by its name, absolute paths relative.
    public static func commandLine(_ arguments: [String]) -> [String] {
        arguments.enumerated().map { index, argument in
            if index == 0 { return String(argument.split(separator: "/").last ?? "") }
            if let equals = argument.firstIndex(of: "="), argument.hasPrefix("-") {
                let value = String(argument[argument.index(after: equals)...])
                return argument[...equals] + relative(value)
            }
            return relative(argument)
        }
    }

    /// The commit of a folder's source tree, with `-dirty` where a tracked file was changed; nil
    /// without git or outside a tree.
    ///
    /// Files below `results` do not count: commands write them, and nothing that is run depends on
    /// them.
    static func gitCommit(in folder: String = ".", results: String) -> String? {
        func git(_ arguments: String...) -> String? {
            // Reading must not wait for another command that writes the index.
            let command = ["git", "--no-optional-locks", "-C", folder] + arguments
            return CommandOutput.of(command).map { String(decoding: $0, as: UTF8.self) }
        }
        guard let commit = git("rev-parse", "HEAD")?.split(separator: "\n").first,
            let top = git("rev-parse", "--show-toplevel")?.split(separator: "\n").first
        else { return nil }
        func whole(_ path: String, _ base: String) -> String {
            let base = URL(filePath: base, directoryHint: .isDirectory)
            return URL(filePath: path, relativeTo: base).resolvingSymlinksInPath()
                .path(percentEncoded: false)
        }
        let results = whole(results, folder)
        let written = results.hasSuffix("/") ? results : results + "/"
        let changed = git("diff", "--name-only", "--no-renames", "-z", "HEAD") ?? ""
        let counts = changed.split(separator: "\0").contains { name in
            !whole(String(name), String(top)).hasPrefix(written)
        }
        return commit + (counts ? "-dirty" : "")
    }
}
