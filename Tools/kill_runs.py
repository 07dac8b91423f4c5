"""Kills and signals the programs at random moments of a whole miniature experiment, and compares.

    python3 Tools/kill_runs.py [--kills 300] [--bin .build/release] [--folder .build/kill-runs]
                               [--seed 1] [--minutes 60] [--shards] [--containers]
                               [--clock LIBRARY] [--record FILE]

One experiment (two scratch models, generation, training of three arms, evaluation, report) is run
once without disturbance. Then it is run again and again from the beginning, each process being
stopped after a random time with SIGKILL, SIGTERM, SIGINT, SIGHUP or SIGUSR1, until as many processes
as asked for have been stopped or the minutes are over; a command that was stopped is given again until it ends with 0. At the
end of every run the SHA-256 of every result file (traces, selections, weights, samples, tables,
plots) must be that of the undisturbed run. A shard that is killed beside a whole run that comes to its
end leaves its file, which the next whole run takes away: with --shards there is one more at the end,
and then no file of a shard may be left.

    --shards      generation is two shards and a whole process at once, all of them being stopped
    --containers  every second process runs in a PID namespace of its own (needs `unshare`)
    --clock       preloads LIBRARY (Tools/clock_steps.c), which sets the clock forth and back

Prints one line; --record as in Tools/reliability.py. Exits 1 when a result differs, an exit code is none of those promised, or a process
does not end within a minute of a signal.
"""

import argparse
import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import reliability

EXPERIMENT = """\
name: kill
seeds: [1]
models:
  teacher: {scratch: {hiddenSize: 32, layers: 2, heads: 2, intermediateSize: 64,
    initializerRange: 0.18, pretraining: {steps: 40, batch: 16, reflectiveShare: 0.75}}}
  student: {scratch: {hiddenSize: 32, layers: 1, heads: 2, intermediateSize: 64,
    initializerRange: 0.18, pretraining: {steps: 40, batch: 16}}}
problems: {chain: {count: 24, operations: [2, 3]}}
benchmarks:
  - {name: chain2, chain: {count: 16, operations: [2]}}
  - {name: chain3, chain: {count: 16, operations: [3]}}
template: {preset: plain, endOfTurn: $}
answers: {style: marker, start: "#"}
generation: {tries: 3, maxNewTokens: 60, maxTotalTokens: 90, batch: 4}
selection: {requireCorrect: false, requireEndOfTurn: false, maxFallbackRate: 1}
training: {learningRate: 3e-4, epochs: 4, batch: 4, maxLength: 90, microBatchTokens: 256, saveEvery: 2}
evaluation: {samples: 2, maxNewTokens: 40, batch: 4}
arms:
  base: {kind: base}
  direct: {kind: direct, selection: {requireCorrect: false}}
  rsd: {kind: rsd}
"""
STAGES = [("generate", "rsd-generate", ["run"]), ("train", "rsd-train", ["run"]),
          ("evaluate", "rsd-evaluate", ["run"]), ("report", "rsd-evaluate", ["report"])]
SIGNALS = [signal.SIGKILL] * 5 + [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1]
PROMISED = {0, 75}
# What holds times, machines or command lines differs between equal runs.
UNEQUAL = ("manifest", "lock", "events.out", "metrics", "key.json", "digests.json", "report.html", "costs.")


def results(folder):
    """The SHA-256 of every result file, by its path."""
    found = {}
    for top in ("runs", "results"):
        for path in sorted((folder / top).rglob("*")):
            if path.is_file() and not path.name.startswith(UNEQUAL):
                name = str(path.relative_to(folder))
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def catches(process, number):
    """Whether a process has a handler for a signal."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def is_shards(name):
    """Whether a file holds the tries of a shard, which are not merged yet."""
    return "-of-" in name


class Trial:
    def __init__(self, options):
        self.options = options
        self.programs = pathlib.Path(options.bin).resolve()
        self.root = pathlib.Path(options.folder).resolve()
        self.random = random.Random(options.seed)
        self.stopped = {name: 0 for name, _, _ in STAGES}
        self.signals = {}
        self.unpromised = []
        self.hangs = 0
        self.started = 0
        self.busy = 0
        self.seconds = {name: 0.5 for name, _, _ in STAGES}

    def fresh(self, name):
        folder = self.root / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "kill.yaml").write_text(EXPERIMENT)
        return folder

    def start(self, folder, program, arguments, disturbed):
        command = [str(self.programs / program), *arguments[:1], "kill.yaml", *arguments[1:]]
        environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
        self.started += 1
        if disturbed and self.options.containers and self.started % 2:
            command = ["unshare", "-p", "-f", "--mount-proc", "--kill-child"] + command
        if disturbed and self.options.clock:
            environment["LD_PRELOAD"] = str(pathlib.Path(self.options.clock).resolve())
        errors = open(folder / "errors.txt", "ab")
        return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)

    def wait(self, process, seconds):
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def disturb(self, stage, processes):
        """Lets processes run for a random time, then stops those that still do."""
        reach = self.seconds[stage] * 1.2
        codes = {}
        deadlines = [time.monotonic() + self.random.uniform(0, reach) for _ in processes]
        for process, deadline in sorted(zip(processes, deadlines), key=lambda p: p[1]):
            code = self.wait(process, max(0, deadline - time.monotonic()))
            if code is None:
                number = self.random.choice(SIGNALS)
                self.stopped[stage] += 1
                name = signal.Signals(number).name
                self.signals[name] = self.signals.get(name, 0) + 1
                isolated = process.args[0] == "unshare"
                caught = catches(process.pid, number)
                # The group of `unshare` is that of the program as well.
                os.killpg(process.pid, signal.SIGKILL if isolated else number)
                code = self.wait(process, 60)
                if code is None:
                    self.hangs += 1
                    os.killpg(process.pid, signal.SIGKILL)
                    code = process.wait()
                elif isolated or number == signal.SIGKILL or (not caught and code == -number):
                    # The report resumes nothing, and a program that is still being loaded has begun
                    # nothing: they end by the signal itself.
                    pass
                elif code not in PROMISED:
                    self.unpromised.append((stage, name, code))
            elif code not in PROMISED:
                self.unpromised.append((stage, "none", code))
            if code == 75:
                self.busy += 1
            codes[process.pid] = code
        return [codes[process.pid] for process in processes]

    def commands(self, stage, program, arguments):
        if self.options.shards and stage == "generate":
            return [(program, arguments + ["--shard", "1/2"]),
                    (program, arguments + ["--shard", "2/2"]), (program, arguments)]
        if self.options.containers:
            return [(program, arguments)] * 2
        return [(program, arguments)]

    def run(self, folder, disturbed):
        for stage, program, arguments in STAGES:
            for attempt in range(400):
                begun = time.monotonic()
                if not disturbed:
                    code = self.start(folder, program, arguments, False).wait()
                    self.seconds[stage] = time.monotonic() - begun
                    if code != 0:
                        sys.exit(f"{stage} ended with {code}: " +
                                 (folder / "errors.txt").read_text()[-2000:])
                    break
                commands = self.commands(stage, program, arguments)
                codes = self.disturb(stage, [self.start(folder, *c, True) for c in commands])
                # A shard that has come to its end is not the whole: the last command is.
                if codes[-1] == 0:
                    break
            else:
                sys.exit(f"{stage} never came to its end")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--folder", default=".build/kill-runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--shards", action="store_true")
    parser.add_argument("--containers", action="store_true")
    parser.add_argument("--clock")
    parser.add_argument("--record")
    trial = Trial(parser.parse_args())
    reference = trial.fresh("reference")
    trial.run(reference, False)
    expected = results(reference)
    begun = time.monotonic()
    runs, differing = 0, []
    end = begun + trial.options.minutes * 60
    while sum(trial.stopped.values()) < trial.options.kills and time.monotonic() < end:
        folder = trial.fresh("disturbed")
        trial.run(folder, True)
        runs += 1
        found = results(folder)
        if trial.options.shards:
            found = {name: digest for name, digest in found.items() if not is_shards(name)}
            if trial.start(folder, *STAGES[0][1:], False).wait() != 0:
                differing.append((runs, "one more whole run failed"))
            differing += [(runs, name) for name in results(folder) if is_shards(name)]
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                differing.append((runs, name))
        if differing:
            break
    stopped = ", ".join(f"{name} {count}" for name, count in trial.stopped.items())
    signals = ", ".join(f"{name} {count}" for name, count in sorted(trial.signals.items()))
    print(f"kill_runs: {sum(trial.stopped.values())} processes stopped ({stopped}; {signals}) in "
          f"{runs} runs of {len(expected)} result files each: {len(differing)} differ, "
          f"{len(trial.unpromised)} unpromised exit codes, {trial.hangs} hangs, "
          f"{time.monotonic() - begun:.0f} s, seed {trial.options.seed}")
    options = trial.options
    ways = [way for way, chosen in [
        ("with shards", options.shards), ("in containers", options.containers),
        ("the clock stepping", options.clock),
    ] if chosen]
    reliability.record(
        options.record, attack=", ".join(["processes of whole runs stopped", *ways]),
        tried=sum(trial.stopped.values()), unit="kills and signals",
        faults=len(differing) + len(trial.unpromised) + trial.hangs,
        outcomes={"whole runs": runs, "result files compared in each": len(expected),
                  "that differ": len(differing), "unpromised exit codes": len(trial.unpromised),
                  "hangs": trial.hangs},
        command=" ".join(["python3 Tools/kill_runs.py", f"--kills {options.kills}"]
                         + ["--shards"] * options.shards + ["--containers"] * options.containers
                         + ["--clock LIBRARY"] * bool(options.clock)),
    )
    for line in differing[:40] + trial.unpromised[:40]:
        print(*line, file=sys.stderr)
    sys.exit(1 if differing or trial.unpromised or trial.hangs else 0)


if __name__ == "__main__":
    main()
