"""Flips bits in the files of a finished run, or cuts them short, and looks at what notices it.

    python3 Tools/damaged_files.py [--flips 1000] [--cuts 200] [--bin .build/release] [--jobs 2]
        [--kinds checkpoint,traces,...] [--record FILE]

A miniature experiment is run once. Then one file of it is damaged, the command that reads it next
is run, and the file is put back: so many times a kind of file. What happens is one of

    refused   the command ends with 65 or another code of its own, and says why
    warned    the command goes on, and names the file in a warning
    same      every result is byte for byte what it is without the damage
    silent    a result is another, and nobody said so: a fault, as are signals, other exit codes
              and commands that take over 10 s of the processor

Cuts are at every 4 KiB, and for the rest at random bytes. --record appends the figures to a file of
docs/reliability, see Tools/reliability.py. Exits 1 after faults.
"""

import argparse
import collections
import concurrent.futures
import pathlib
import queue
import random
import resource
import shutil
import subprocess
import sys
import tempfile

import reliability

EXIT_CODES = {0, 1, 64, 65, 66, 74, 75, 78}
MOST_SECONDS = 10
EXPERIMENT = """\
name: tiny
description: A run to be damaged.
seeds: [1]
models:
  teacher: &model
    scratch: {hiddenSize: 16, layers: 1, heads: 2, headDimension: 8,
      pretraining: {steps: 40, batch: 32, reflectiveShare: 0.5}}
  student: *model
problems: {chain: {count: 24, operations: [2]}}
benchmarks: [{name: one, chain: {count: 24, operations: [2]}}]
template: {preset: plain, endOfTurn: $}
answers: {style: marker, start: "#"}
generation: {tries: 2, maxNewTokens: 40, maxTotalTokens: 60, acceptanceThresholds: [0.01]}
selection: {requireCorrect: false, requireEndOfTurn: false, maxFallbackRate: 1}
training: {learningRate: 1e-3, epochs: 4, batch: 4, maxLength: 100}
evaluation: {samples: 2, maxNewTokens: 20}
arms:
  base: {kind: base}
  rsd: {kind: rsd}
"""
ALL = ["rsd-generate run", "rsd-train run", "rsd-evaluate run", "rsd-generate analyse",
       "rsd-evaluate report"]
RESULTS = "results/tiny/**/*.[cms]*"


class Kind:
    """A kind of file: where it is, what reads it next, and what is then compared."""

    def __init__(self, files, commands, compared, remove=()):
        self.files, self.commands, self.compared, self.remove = files, commands, compared, remove


REPORT = ["rsd-evaluate report tiny.yaml"]
KINDS = {
    "checkpoint": Kind("runs/tiny/training/rsd-*/model.h5", ["rsd-train verify {file}"], ""),
    "checkpoint that is evaluated": Kind(
        "runs/tiny/training/rsd-*/model.h5", ["rsd-evaluate run tiny.yaml"],
        "runs/tiny/evaluation/*/one.jsonl", remove=["runs/tiny/evaluation/rsd-*"],
    ),
    "traces": Kind(
        "runs/tiny/traces/*/traces.jsonl", ["rsd-generate run tiny.yaml"],
        "runs/tiny/selection/*/selected.jsonl", remove=["runs/tiny/selection/rsd-*"],
    ),
    "selected traces": Kind(
        "runs/tiny/selection/*/selected.jsonl", ["rsd-train run tiny.yaml"],
        "runs/tiny/training/*/model.h5", remove=["runs/tiny/training/rsd-*"],
    ),
    "samples": Kind("runs/tiny/evaluation/rsd-*/one.jsonl", REPORT, RESULTS),
    "metrics": Kind("runs/tiny/training/rsd-*/metrics.jsonl", REPORT, RESULTS),
    "manifest": Kind("runs/tiny/evaluation/rsd-*/manifest.json", REPORT, RESULTS),
    "key": Kind("runs/tiny/evaluation/rsd-*/key.json", REPORT, RESULTS),
    "analysis": Kind("results/tiny/analysis.json", REPORT, RESULTS),
}


class Copy:
    """A copy of the run that one thread damages and mends."""

    def __init__(self, original, folder, programs):
        self.original, self.folder, self.programs = original, folder, programs
        shutil.copytree(original, folder)

    def restore(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.original, self.folder)

    def run(self, command):
        words = command.split()
        return subprocess.run(
            [self.programs / words[0], *words[1:]], cwd=self.folder, capture_output=True,
            timeout=20 * MOST_SECONDS, preexec_fn=limit,
        )

    def compared(self, kind):
        if not kind.compared:
            return {}
        # Manifests hold times.
        return {
            path.relative_to(self.folder): path.read_bytes()
            for path in self.folder.glob(kind.compared) if path.name != "manifest.json"
        }

    def remove(self, kind):
        for pattern in kind.remove:
            for path in self.folder.glob(pattern):
                shutil.rmtree(path)

    def clean(self, kind):
        """What comes out without damage."""
        path = next(self.folder.glob(kind.files))
        self.remove(kind)
        said = b""
        for command in kind.commands:
            result = self.run(command.format(file=path))
            if result.returncode != 0:
                sys.exit(f"{command}: {result.stderr.decode()}")
            said += result.stderr
        results = self.compared(kind)
        self.restore()
        return results, said

    def outcome(self, kind, damage, clean):
        """Damages the file, runs the commands, and says what happened."""
        path = next(self.folder.glob(kind.files))
        path.write_bytes(damage(path.read_bytes()))
        self.remove(kind)
        said = ""
        try:
            for command in kind.commands:
                result = self.run(command.format(file=path))
                said += (result.stdout + result.stderr).decode(errors="replace")
                if result.returncode < 0:
                    return f"signal {-result.returncode}"
                if result.returncode not in EXIT_CODES:
                    return f"exit code {result.returncode}"
                if result.returncode:
                    return "refused"
            clean_results, clean_said = clean
            if any(
                "arning" in line and path.parent.name in line
                for line in said.splitlines() if line not in clean_said.decode()
            ):
                return "warned"
            return "same" if self.compared(kind) == clean_results else "silent"
        except subprocess.TimeoutExpired:
            return "hung"
        finally:
            self.restore()


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))


def flip(place):
    def damage(data):
        data = bytearray(data)
        data[place // 8] ^= 1 << place % 8
        return bytes(data)

    return damage


def tries(mode, count, size, chance):
    if mode == "flips":
        return [flip(place) for place in (chance.randrange(8 * size) for _ in range(count))]
    places = list(range(0, size, 4096))
    places += [chance.randrange(size) for _ in range(count - len(places))]
    return [lambda data, place=place: data[:place] for place in places]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--record")
    options = parser.parse_args()
    programs = pathlib.Path(options.bin).resolve()
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        original = pathlib.Path(folder) / "run"
        original.mkdir()
        (original / "tiny.yaml").write_text(EXPERIMENT)
        for command in ALL:
            words = command.split()
            subprocess.run(
                [programs / words[0], words[1], "tiny.yaml"], cwd=original, check=True,
                capture_output=True,
            )
        copies = queue.SimpleQueue()
        for index in range(options.jobs):
            copies.put(Copy(original, pathlib.Path(folder) / f"copy{index}", programs))
        for name in options.kinds.split(","):
            for mode, count in [("flips", options.flips), ("cuts", options.cuts)]:
                if count:
                    faults += attack(name, mode, count, copies, options)
    sys.exit(1 if faults else 0)


def attack(name, mode, count, copies, options):
    kind = KINDS[name]
    copy = copies.get()
    clean = copy.clean(kind)
    size = next(copy.folder.glob(kind.files)).stat().st_size
    copies.put(copy)
    chance = random.Random(f"{name} {mode}")

    def once(damage):
        copy = copies.get()
        try:
            return copy.outcome(kind, damage, clean)
        finally:
            copies.put(copy)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        found = collections.Counter(pool.map(once, tries(mode, count, size, chance)))
    bad = sum(number for what, number in found.items() if what not in ("refused", "warned", "same"))
    word = "a bit flipped" if mode == "flips" else "cut short"
    line = reliability.record(
        options.record, attack=f"{word}: {name}", tried=sum(found.values()), unit="times",
        faults=bad, outcomes=dict(sorted(found.items())),
        command=f"python3 Tools/damaged_files.py --{mode} {count} --kinds '{name}'",
    )
    print("{attack}: {outcomes}, {faults} faults".format(**line), flush=True)
    return bad


if __name__ == "__main__":
    main()
