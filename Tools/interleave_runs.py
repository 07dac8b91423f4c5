"""Runs shards and whole processes of `rsd-generate run` in chosen interleavings, and compares.

    python3 Tools/interleave_runs.py [--bin .build/release] [--folder .build/interleave]
                                     [--minutes 60] [--random 1000] [--seed 1] [--every 1]
                                     [--record FILE]

Preloads Tools/interleave_runs.c (built with `cc`), which stops a process before its n-th file
operation: open, create, list, stat, read, write, truncate, rename, unlink, mkdir, flock, close. A
schedule says which process goes on for how many operations. Tried are, of each pair of processes
(two shards, a shard and a whole run, two whole runs) from each beginning (nothing is there, some
tries are, all but a shard's tries are):

- every n: the first is stopped before operation n, the second runs to its end, the first goes on;
- every n: the first is killed there, the second runs to its end;
- so many draws by chance (--random) with two shards and a whole run, each stopped up to three times.

With --every N only each N-th n. All of them come in an order drawn by chance, until the minutes are
over. After each schedule:

- every process ended with 0, or with 75 because another one was at work;
- where a whole run ended with 0, or all shards did and nobody was killed who might have been about to
  merge their files, every trace and every selection has the SHA-256 of an undisturbed run; where nobody
  was killed no shard's file is left;
- one more whole run ends with 0, and all is so, whatever was killed.

Prints one line; --record as in Tools/reliability.py. Exits 1 when any of these is not so.
"""

import argparse
import mmap
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import kill_runs
import reliability

EXPERIMENT = """\
name: i
seeds: [1]
models:
  teacher: &model {scratch: {hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32,
    initializerRange: 0.2, pretraining: {steps: 4, batch: 4}}}
  student: *model
problems: {chain: {count: 5, operations: [2]}}
template: {preset: plain, endOfTurn: $}
answers: {style: marker, start: "#"}
generation: {tries: 2, maxNewTokens: 10, maxTotalTokens: 40, batch: 3}
selection: {requireCorrect: false, requireEndOfTurn: false, maxFallbackRate: 1}
training: {maxLength: 90}
benchmarks: [{name: chain2, chain: {count: 2, operations: [2]}}]
arms:
  direct: {kind: direct, selection: {requireCorrect: false, requireEndOfTurn: false}}
  matched: {kind: rsd, match: {arms: [direct], targetTokens: true}}
"""
FIRST, SECOND, WHOLE = ["--shard", "1/2"], ["--shard", "2/2"], []
# What is there when a schedule begins: the commands that made it.
BEGINNINGS = {
    "nothing": [],
    "some tries": [["--limit", "2"], ["--shard", "1/2", "--limit", "3"]],
    "the first shard": [FIRST],
}
PAIRS = [(FIRST, SECOND), (SECOND, FIRST), (FIRST, WHOLE), (WHOLE, FIRST), (WHOLE, WHOLE)]
NEVER = (1 << 64) - 1
MOST_SECONDS = 60


def name(arguments):
    return " ".join(["rsd-generate run", *arguments])


class Control:
    """The memory that the preloaded library shares with this program."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(256))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 256)

    def count(self):
        return struct.unpack_from("<Q", self.memory, 0)[0]

    def stop_at(self, number):
        struct.pack_into("<Q", self.memory, 8, number)

    def is_waiting(self):
        return struct.unpack_from("<Q", self.memory, 16)[0] != 0

    def operation(self):
        return self.memory[24:].split(b"\0")[0].decode(errors="replace")


class Process:
    """A process of the program, which goes on when it is told to."""

    def __init__(self, runs, folder, arguments, number):
        self.runs, self.folder, self.arguments = runs, folder, arguments
        self.control = Control(runs.root / f"control-{number}")
        self.process, self.code, self.places = None, None, []

    def advance(self, operations=None):
        """Lets it go on for so many operations, or to its end; returns whether it has ended."""
        if self.code is not None:
            return True
        self.control.stop_at(NEVER if operations is None else self.control.count() + operations + 1)
        if self.process is None:
            environment = dict(
                os.environ, OPENBLAS_NUM_THREADS="1", RSD_THREADS="1",
                LD_PRELOAD=str(self.runs.library), INTERLEAVE_CONTROL=str(self.control.path),
                INTERLEAVE_BELOW=str(self.folder / "runs"),
            )
            self.process = subprocess.Popen(
                [self.runs.program, "run", "i.yaml", *self.arguments], cwd=self.folder,
                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=open(self.folder / "errors.txt", "ab"))
        else:
            os.kill(self.process.pid, signal.SIGCONT)
        end = time.monotonic() + MOST_SECONDS
        while time.monotonic() < end:
            found, status = os.waitpid(self.process.pid, os.WUNTRACED | os.WNOHANG)
            if found and os.WIFSTOPPED(status):
                self.places.append(f"{self.control.count()}, {self.control.operation()}")
                return False
            if found:
                self.code = os.waitstatus_to_exitcode(status)
                self.process.returncode = self.code
                return True
            time.sleep(0.0005)
        self.kill()
        self.code = "hang"
        return True

    def kill(self):
        if self.process is None or self.code is not None:
            return
        self.process.kill()
        self.code = self.process.wait()


class Runs:
    def __init__(self, options):
        self.program = (pathlib.Path(options.bin) / "rsd-generate").resolve()
        self.root = pathlib.Path(options.folder).resolve()
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        self.library = self.root / "interleave.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.library,
                        pathlib.Path(__file__).with_suffix(".c"), "-ldl"], check=True)
        base = self.root / "base"
        base.mkdir()
        (base / "i.yaml").write_text(EXPERIMENT)
        subprocess.run([self.program.with_name("rsd-train"), "run", "i.yaml", "--arm", "base"], cwd=base,
                       check=True, capture_output=True)
        for number, commands in enumerate(BEGINNINGS.values()):
            folder = self.root / f"begin-{number}"
            shutil.copytree(base, folder)
            for arguments in commands:
                self.undisturbed(folder, arguments)
        whole = self.folder("whole", 0)
        self.undisturbed(whole, WHOLE)
        self.expected = results(whole)
        self.lengths = {}

    def folder(self, name, beginning):
        folder = self.root / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.root / f"begin-{beginning}", folder)
        return folder

    def undisturbed(self, folder, arguments):
        done = subprocess.run([self.program, "run", "i.yaml", *arguments], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, OPENBLAS_NUM_THREADS="1", RSD_THREADS="1"))
        if done.returncode != 0:
            sys.exit(f"{name(arguments)} ended with {done.returncode}: {done.stderr}")

    def length(self, beginning, arguments):
        """How many operations an undisturbed process makes."""
        key = beginning, tuple(arguments)
        if key not in self.lengths:
            process = Process(self, self.folder("length", beginning), arguments, 0)
            if not process.advance() or process.code != 0:
                sys.exit(f"{name(arguments)}: ended with {process.code}")
            self.lengths[key] = process.control.count()
        return self.lengths[key]

    def trial(self, beginning, commands, schedule):
        """What is wrong after one schedule: steps of a process's number and operations, None for
        all that are left, "kill" for a kill."""
        folder = self.folder("trial", beginning)
        processes = [Process(self, folder, arguments, number)
                     for number, arguments in enumerate(commands)]
        for number, operations in schedule:
            if operations == "kill":
                processes[number].kill()
            else:
                processes[number].advance(operations)
        # Who waits for another one lets it go on.
        for turn in range(400):
            if all([process.advance() for process in processes]):
                break
        killed = [process.code for process in processes].count(-signal.SIGKILL)
        wrong = []
        for process in processes:
            if process.code not in (0, 75, -signal.SIGKILL):
                wrong.append(f"{name(process.arguments)} ended with {process.code}: "
                             + (folder / "errors.txt").read_text()[-600:])
        done = [process.arguments for process in processes if process.code == 0]
        shards = (FIRST in done or beginning == 2) and SECOND in done
        if WHOLE in done or shards and killed == 0:
            wrong += differences(self.expected, results(folder), leftovers=killed == 0)
        again = subprocess.run([self.program, "run", "i.yaml"], cwd=folder,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if again.returncode != 0:
            wrong.append(f"could not go on: {again.returncode} {again.stderr[-600:]}")
        else:
            wrong += [f"at the end: {what}"
                      for what in differences(self.expected, results(folder), leftovers=True)]
        stops = "; ".join(f"{name(process.arguments)} ({process.code}) stopped before "
                          + " and ".join(process.places) for process in processes if process.places)
        begun = f"from {list(BEGINNINGS)[beginning]}: {' and '.join(map(name, commands))}"
        return [f"{what} [{begun}; {schedule}: {stops}]"
                for what in wrong]


def results(folder):
    """The SHA-256 of every file of tries and of every selection."""
    found = kill_runs.results(folder)
    return {path: digest for path, digest in found.items() if path.endswith(".jsonl")}


def differences(expected, found, leftovers):
    wrong = []
    for path in sorted(expected.keys() | found.keys()):
        if path not in expected:
            if leftovers:
                wrong.append(f"{path} is left")
        elif expected[path] != found.get(path):
            wrong.append(f"{path} " + ("differs" if path in found else "is missing"))
    return wrong


def schedules(runs, options):
    """All schedules: the beginning, the commands, the steps."""
    chance = random.Random(options.seed)
    for beginning in range(len(BEGINNINGS)):
        for pair in PAIRS:
            count = runs.length(beginning, pair[0])
            for number in range(0, count, options.every):
                yield beginning, pair, [(0, number), (1, None), (0, None)]
                yield beginning, pair, [(0, number), (0, "kill"), (1, None)]
    for _ in range(options.random):
        beginning = chance.randrange(len(BEGINNINGS))
        commands = [FIRST, SECOND, WHOLE]
        chance.shuffle(commands)
        steps = []
        for number in [0, 1, 2] * chance.randint(1, 3):
            steps.append((number, chance.randint(0, runs.length(beginning, commands[number]) // 2)))
        chance.shuffle(steps)
        if chance.random() < 0.2:
            steps.append((chance.randrange(3), "kill"))
        yield beginning, commands, steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--folder", default=".build/interleave")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--random", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--record")
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    runs = Runs(options)
    planned = list(schedules(runs, options))
    random.Random(options.seed).shuffle(planned)
    tried, wrong, faults = 0, [], 0
    for beginning, commands, steps in planned:
        if time.monotonic() > end:
            break
        found = runs.trial(beginning, commands, steps)
        tried += 1
        faults += bool(found)
        wrong += found
    counts = sorted(runs.lengths.values())
    print(f"interleave_runs: {tried} of {len(planned)} schedules of processes of {counts[0]} to "
          f"{counts[-1]} file operations, {len(runs.expected)} results compared after each: "
          f"{faults} wrong")
    reliability.record(
        options.record, attack="shards and whole runs interleaved at every file operation",
        tried=tried, unit="schedules", faults=faults,
        outcomes={"to equal results": tried - faults, "planned": len(planned)},
        command="python3 Tools/interleave_runs.py",
    )
    for line in wrong[:40]:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
