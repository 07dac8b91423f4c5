import ArgumentParser
import Basics
import Experiments
import Foundation
import Programs

/// `rsd-generate submit`: an experiment as the jobs of a cluster.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Submits what is left of an experiment to Slurm, or writes it for GNU parallel.",
        discussion: """
            Each stage is a job after the stage before it: models from scratch, tries in shards, their \
            merge, a training of each arm and seed, samples, the report. Memory and time come from the \
            estimates of --dry-run of the other commands. Slurm's scripts stay in runs/NAME/jobs, with \
            what the jobs print; sbatch --array=3 SCRIPT runs one task of one again alone, and submit \
            again submits what is left. Partition, account and the like are variables of sbatch: \
            SBATCH_PARTITION, SBATCH_ACCOUNT.
            """
    )

    /// Who starts the jobs.
    enum Scheduler: String, ExpressibleByArgument, CaseIterable { case slurm, parallel }

    @OptionGroup var file: ExperimentFile
    @Option(help: "slurm submits; parallel writes a script of GNU parallel's lines.")
    var scheduler = Scheduler.slurm
    @Option(help: "Processes that share the tries; about one for four hours when left out.")
    var shards: Int?
    @Option(help: "Processes that share the samples; one for each arm and seed when left out.")
    var sampleShards: Int?
    @Option(help: "Cores of each process.") var cores = 8
    @Option(help: "The most hours of a job at once; longer ones are stopped and go on.")
    var hours = 24
    @Flag(help: "Print the scripts and stop.") var dryRun = false

    func validate() throws {
        for (name, value) in [
            ("shards", shards ?? 1), ("sample-shards", sampleShards ?? 1), ("cores", cores),
            ("hours", hours),
        ] where !(1...100_000).contains(value) {
            throw ValidationError("--\(name) is \(value); expected at least 1, at most 100000")
        }
    }

    func run() throws {
        let graphs = try file.read().variants.map { try StageGraph(RunLayout($0)) }
        let list = try JobList(graphs, shards: shards, sampleShards: sampleShards)
        let path = CommandLine.arguments[0]
        let scripts = JobScripts(
            list,
            programs: path.contains("/")
                ? URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
                    .trimmingSuffix("/")
                : "",
            folder: "\(graphs[0].layout.runsFolder)/jobs",
            cores: cores,
            hours: hours
        )
        switch scheduler {
        case .parallel: try write(scripts)
        case .slurm: try submit(scripts)
        }
    }

    private func write(_ scripts: JobScripts) throws {
        if dryRun { return try StandardOutput.write(scripts.parallel) }
        try TextFile.createFolder(scripts.folder)
        try TextFile.write(scripts.parallel, to: scripts.parallelPath)
        try StandardOutput.write("bash \(scripts.parallelPath)\n")
    }

    private func submit(_ scripts: JobScripts) throws {
        if !dryRun { try TextFile.createFolder(scripts.folder) }
        var last: String?
        for job in scripts.list.jobs {
            let path = scripts.slurmPath(job)
            var command = ["sbatch", "--parsable", "--kill-on-invalid-dep=yes"]
            if let last { command.append("--dependency=afterok:\(last)") }
            command.append(path)
            if dryRun {
                let line = command.joined(separator: " ")
                try StandardOutput.write("# \(line)\n\(scripts.slurm(job))\n")
                last = "\(job.name)"
                continue
            }
            try TextFile.write(scripts.slurm(job), to: path)
            let number = try Self.number(command, after: last)
            try StandardOutput.write("\(number) \(job.name) (\(job.processCount))\n")
            last = number
        }
    }

    /// Runs `sbatch` and gives the number of the job.
    private static func number(_ command: [String], after last: String?) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        // A federation's answer has the cluster's name behind the number.
        let answer = String(decoding: data, as: UTF8.self).prefix { $0 != ";" && !$0.isNewline }
        guard process.terminationStatus == 0, Int(answer) != nil else {
            let isMissing = process.terminationStatus == 127
            throw Failure(
                isMissing ? .missingInput : .failed,
                isMissing
                    ? "sbatch is not there" : "sbatch ended with \(process.terminationStatus)",
                remedy: isMissing
                    ? "Submit on a machine of the cluster; --scheduler parallel needs no Slurm."
                    : last.map {
                        "Jobs before it are submitted; scancel \($0) takes the last back."
                    }
                        ?? "See what it says above."
            )
        }
        return String(answer)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) && count > suffix.count ? String(dropLast(suffix.count)) : self
    }
}
