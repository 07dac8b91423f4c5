"""Lets system calls fail, one at a time, while the programs write, and looks at what is left.

    python3 Tools/fault_injection.py [--bin .build/release] [--folder .build/faults] [--most 40]
                                     [--minutes 60] [--record FILE]

Preloads Tools/fault_injection.c (built with `cc`). Of each place (a checkpoint, a model's weights, the
metrics, the traces, the samples, the manifests) and each kind of call (write, fsync, rename, close,
ftruncate) every call is made to fail once, with ENOSPC, with EIO, and for writes with half of the bytes
written; of more than `--most` calls so many, spread evenly. They come in an order drawn by chance, until all are
done or the minutes are over. After each:

- the program ends with 74, or with 0 and the very results of an undisturbed run;
- every checkpoint under its final name passes `rsd-train verify`;
- the same command, given again, ends with 0, and every result has the SHA-256 it should have.

Prints one line; --record as in Tools/reliability.py. Exits 1 when any of these is not so.
"""

import argparse
import errno
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import kill_runs
import reliability

ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "short": 0}
CALLS = ["write", "fsync", "rename", "close", "ftruncate"]
# Stage, and part of the path of the files meant.
PLACES = [
    ("train", "/checkpoints/step-000004", "one save of a checkpoint"),
    ("train", "/checkpoints", "the folder of checkpoints"),
    ("train", "/model.h5", "the weights"),
    ("train", "/metrics.jsonl", "metrics"),
    ("train", "/manifest.json", "the manifest of training"),
    ("generate", "/traces.jsonl", "traces"),
    ("generate", "/selected.jsonl", "selections"),
    ("evaluate", "/chain2.jsonl", "samples"),
    ("report", "/results/", "the report"),
]


class Faults:
    def __init__(self, options):
        self.programs = pathlib.Path(options.bin).resolve()
        self.root = pathlib.Path(options.folder).resolve()
        self.most = options.most
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        self.library = self.root / "faults.so"
        source = pathlib.Path(__file__).with_suffix(".c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.library, source, "-ldl"],
                       check=True)

    def command(self, stage):
        return next((program, arguments) for name, program, arguments in kill_runs.STAGES
                    if name == stage)

    def run(self, folder, stage, **fault):
        program, arguments = self.command(stage)
        environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
        if fault:
            environment |= {"LD_PRELOAD": str(self.library)}
            environment |= {f"FAULT_{name.upper()}": str(value) for name, value in fault.items()}
        return subprocess.run([self.programs / program, *arguments, "kill.yaml"], cwd=folder,
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=300)

    def prepare(self):
        """For each stage a folder as it is before it, and the results that it should have."""
        now = self.root / "now"
        now.mkdir()
        (now / "kill.yaml").write_text(kill_runs.EXPERIMENT)
        self.expected = {}
        for stage, _, _ in kill_runs.STAGES:
            if stage == "generate":
                # The base models are there already: their training is another stage's.
                program = self.programs / "rsd-train"
                subprocess.run([program, "run", "kill.yaml", "--arm", "base"], cwd=now, check=True,
                               capture_output=True)
            shutil.copytree(now, self.root / f"before-{stage}")
            done = self.run(now, stage)
            if done.returncode != 0:
                sys.exit(f"{stage}: {done.stderr}")
            self.expected[stage] = kill_runs.results(now)

    def numbers(self, stage, below, call):
        """Which calls to let fail, of those that an undisturbed run makes."""
        folder = self.copy(stage)
        count = self.root / "count"
        self.run(folder, stage, call=call, at=0, below=below, count=count)
        total = int(count.read_text()) if count.exists() else 0
        numbers = range(1, total + 1)
        if total > self.most:
            numbers = sorted({1 + i * (total - 1) // (self.most - 1) for i in range(self.most)})
        return total, numbers

    def copy(self, stage):
        folder = self.root / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.root / f"before-{stage}", folder)
        return folder

    def trial(self, stage, below, call, error, number):
        """What is wrong after one failing call; nothing when all is well."""
        folder = self.copy(stage)
        done = self.run(folder, stage, call=call, at=number, below=below, error=ERRORS[error])
        wrong = []
        if done.returncode not in (0, 74):
            wrong.append(f"ended with {done.returncode}: {done.stderr[-300:]}")
        if done.returncode == 0 and kill_runs.results(folder) != self.expected[stage]:
            wrong.append("ended with 0 and other results")
        for path in folder.rglob("*.h5"):
            check = subprocess.run([self.programs / "rsd-train", "verify", path],
                                   capture_output=True)
            if check.returncode != 0:
                wrong.append(f"{path.name} is not whole")
        again = self.run(folder, stage)
        if again.returncode != 0:
            wrong.append(f"could not go on: {again.returncode} {again.stderr[-300:]}")
        elif kill_runs.results(folder) != self.expected[stage]:
            wrong.append("went on to other results")
        return done.returncode, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--folder", default=".build/faults")
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--record")
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    faults = Faults(options)
    faults.prepare()
    planned, calls = [], 0
    for stage, below, name in PLACES:
        for call in CALLS:
            total, numbers = faults.numbers(stage, below, call)
            calls += total
            planned += [(stage, below, name, call, error, number, total) for error in ERRORS
                        for number in numbers if call == "write" or error != "short"]
    random.Random(1).shuffle(planned)
    codes, wrong, trials = {}, [], 0
    for stage, below, name, call, error, number, total in planned:
        if time.monotonic() > end:
            break
        code, found = faults.trial(stage, below, call, error, number)
        trials += 1
        codes[code] = codes.get(code, 0) + 1
        wrong += [f"{name}: {call} {number} of {total}, {error}: {w}" for w in found]
    ends = ", ".join(f"{count} ended with {code}" for code, count in sorted(codes.items()) if count)
    print(f"fault_injection: {trials} of {len(planned)} planned failures of {calls} calls in {len(PLACES)} places "
          f"({', '.join(CALLS)}; {', '.join(ERRORS)}): {ends}; {len(wrong)} wrong")
    reliability.record(
        options.record, attack=f"system calls that fail: {', '.join(CALLS)}", tried=trials,
        unit="calls", faults=len(wrong),
        outcomes={f"ended with {code}": count for code, count in sorted(codes.items())},
        command=f"python3 Tools/fault_injection.py --most {options.most}",
    )
    for line in wrong[:40]:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
