import Basics
import Foundation

/// Writes jobs as scripts for Slurm or for GNU parallel.
public struct JobScripts: Sendable {
    /// The jobs.
    public let list: JobList
    /// The folder of the three programs; empty for those on the search path.
    public let programs: String
    /// The folder of the scripts and of what the jobs print.
    public let folder: String
    /// Cores of one process.
    public let cores: Int
    /// The most hours that Slurm gives a job at once; what takes longer is stopped and goes on.
    public let hours: Int

    /// Scripts for jobs.
    public init(_ list: JobList, programs: String, folder: String, cores: Int, hours: Int) {
        self.list = list
        self.programs = programs
        self.folder = folder
        self.cores = cores
        self.hours = hours
    }

    /// The path of a job's script for `sbatch`.
    public func slurmPath(_ job: JobList.Job) -> String { "\(folder)/\(job.name).sh" }
    /// The path of the script for GNU parallel.
    public var parallelPath: String { "\(folder)/parallel.sh" }

    /// The script that `sbatch` takes for a job.
    ///
    /// An array's task that failed is run again alone by `sbatch --array=3 SCRIPT`: a shard's command
    /// says how many there are.
    public func slurm(_ job: JobList.Job) -> String {
        let isArray = job.division != .whole
        var options = ["job-name=\(list.name)-\(job.name)"]
        if isArray { options.append("array=1-\(job.processCount)") }
        options += ["cpus-per-task=\(cores)"]
        if let estimate = job.estimate {
            // Programs, buffers of files and the parts of a run that no estimate counts.
            let mebibytes = Double(estimate.memoryBytes) * 1.25 / 0x1p20 + 1024
            let minutes = min(Double(60 * hours), 2 * estimate.seconds / 60 + 15)
            options += ["mem=\(Int(mebibytes.rounded(.up)))M", "time=\(Int(minutes.rounded(.up)))"]
        }
        options += [
            "requeue", "signal=USR1@120", "open-mode=append",
            "output=\(folder)/\(job.name)\(isArray ? "-%a" : "").log",
        ]
        var lines = ["#!/bin/bash"] + options.map { "#SBATCH --\(RunEnvironment.shellQuoted($0))" }
        lines += Self.slurmStep.split(separator: "\n").map(String.init)
        switch job.division {
        case .whole: lines += job.commands.map { "step \(text($0))" }
        case .shards(let count):
            lines += job.commands.map {
                "step \(text($0)) --shard \"$SLURM_ARRAY_TASK_ID/\(count)\" --no-merge"
            }
        case .tasks:
            lines.append("case $SLURM_ARRAY_TASK_ID in")
            lines += job.commands.enumerated().map { "\($0 + 1)) step \(text($1)) ;;" }
            lines.append("esac")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// Runs a command as a step, because only steps get the signal before the time is over; it then
    /// keeps what it has, ends with 75, and goes on when the job is run again.
    private static let slurmStep = """
        export RSD_THREADS=$SLURM_CPUS_PER_TASK
        step() {
          srun --ntasks=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" "$@" && return
          code=$?
          if [ $code = 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
            scontrol requeue "$SLURM_JOB_ID" && sleep 60
          fi
          exit $code
        }
        """

    /// The script that runs all jobs with GNU parallel, stage by stage.
    public var parallel: String {
        var text = """
            #!/bin/bash
            # \(list.name) with GNU parallel: bash \(parallelPath)
            # JOBS processes at once, RSD_THREADS threads each; what is done already is left as it is.
            set -e
            export RSD_THREADS=${RSD_THREADS:-\(cores)}
            jobs=${JOBS:-$(( ($(nproc) + RSD_THREADS - 1) / RSD_THREADS ))}
            lines() { parallel --jobs "$jobs" --halt soon,fail=1 --line-buffer; }

            """
        for job in list.jobs {
            text += "\n# \(job.name)\nlines <<'END'\n"
            text += parallelLines(job).map { $0 + "\n" }.joined() + "END\n"
        }
        return text
    }

    private func parallelLines(_ job: JobList.Job) -> [String] {
        switch job.division {
        case .whole: [job.commands.map(text).joined(separator: " && ")]
        case .tasks: job.commands.map(text)
        case .shards(let count):
            (1...count).map { index in
                job.commands.map { "\(text($0)) --shard \(index)/\(count) --no-merge" }
                    .joined(separator: " && ")
            }
        }
    }

    private func text(_ command: JobList.Command) -> String {
        let program = programs.isEmpty ? command.program : "\(programs)/\(command.program)"
        return ([program] + command.arguments).map(RunEnvironment.shellQuoted).joined(
            separator: " "
        )
    }
}
