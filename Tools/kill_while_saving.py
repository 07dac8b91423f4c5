"""Kills rsd-train with SIGKILL while it writes large checkpoints, and looks at what is left.

    python3 Tools/kill_while_saving.py MODEL.gguf [--kills 100] [--folder DIR] [--bin .build/release]

Trains all weights of the model on one short trace, with a checkpoint after every step: weights and
both moments, 12 bytes a parameter, 1.6 GB for SmolLM2-135M. Each process is killed at a random
moment of a save, from before its first byte to after the rename; the next one must go on from a
whole checkpoint. Prints a JSON object; exits 1 when a checkpoint could not be read, or more than
the one in work was lost.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

EXPERIMENT = """\
name: kill
models: {student: {path: "%s"}}
benchmarks: [{name: none, path: traces.jsonl}]
template: {preset: chatml}
training: {batch: 1, epochs: 100000, maxLength: 64, saveEvery: 1, keepCheckpoints: 1}
arms: {trained: {kind: direct, traces: {path: traces.jsonl}}}
"""
TRACE = {"problem": "What is 2 + 3?", "answer": "5", "trace": "2 + 3 = 5, so \\boxed{5}."}


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, **options)


def names(folder):
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []


def newest(folder):
    steps = [int(n[5:-3]) for n in names(folder) if re.fullmatch(r"step-\d+\.h5", n)]
    return max(steps, default=0)


class Trial:
    """One life of the program, killed `delay` seconds after a save has begun."""

    def __init__(self, program, folder, checkpoints):
        self.program, self.folder, self.checkpoints = program, folder, checkpoints

    def start(self):
        # The first process finds no checkpoint folder yet; later ones remove what the last left.
        self.before = newest(self.checkpoints())
        self.process = subprocess.Popen(
            [self.program, "run", "kill.yaml"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        mine = f"-{self.process.pid}-"
        while self.process.poll() is None:
            if any(".tmp." in n and mine in n for n in names(self.checkpoints())):
                return time.monotonic()
            time.sleep(0.001)
        sys.exit("the program ended by itself: " + self.process.stderr.read())

    def kill(self):
        found = names(self.checkpoints())
        self.process.kill()
        errors = self.process.stderr.read()
        self.process.wait()
        temporary = [n for n in names(self.checkpoints()) if ".tmp." in n]
        size = sum(os.path.getsize(self.checkpoints() / n) for n in temporary)
        return found, temporary, size, errors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--folder", default=".build/kill-while-saving")
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    programs = pathlib.Path(options.bin).resolve()
    folder = pathlib.Path(options.folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "kill.yaml").write_text(EXPERIMENT % pathlib.Path(options.model).resolve())
    (folder / "traces.jsonl").write_text(json.dumps(TRACE) + "\n")
    selected = run([programs / "rsd-generate", "run", "kill.yaml"], cwd=folder)
    if selected.returncode != 0:
        sys.exit(selected.stderr)

    def checkpoints():
        stages = list((folder / "runs/kill/training").glob("*"))
        return stages[0] / "checkpoints" if stages else folder / "nowhere"

    trial = Trial(programs / "rsd-train", folder, checkpoints)
    # One whole save tells how long they take.
    begun = trial.start()
    while newest(checkpoints()) == trial.before:
        time.sleep(0.001)
    duration = time.monotonic() - begun
    trial.kill()

    result = {
        "kills": 0, "while_writing": 0, "after_the_rename": 0, "unreadable": 0, "steps_lost": 0,
        "reported_damaged": 0, "save_seconds": round(duration, 2), "checkpoint_bytes": 0,
    }
    written = []
    for _ in range(options.kills):
        begun = trial.start()
        delay = random.uniform(0, 1.1 * duration)
        while time.monotonic() < begun + delay:
            time.sleep(0.0005)
        _, temporary, size, errors = trial.kill()
        result["kills"] += 1
        result["while_writing" if temporary else "after_the_rename"] += 1
        if temporary:
            written.append(size)
        result["reported_damaged"] += "damaged" in errors
        after = newest(checkpoints())
        result["steps_lost"] += max(0, trial.before - after)
        path = checkpoints() / f"step-{after:06d}.h5"
        result["checkpoint_bytes"] = path.stat().st_size
        result["unreadable"] += run([programs / "rsd-train", "verify", path]).returncode != 0
        print(json.dumps(result), end="\r", file=sys.stderr, flush=True)
    result["bytes_in_temporary_files"] = {
        "least": min(written, default=0), "most": max(written, default=0)
    }
    result["last_step"] = newest(checkpoints())
    print(json.dumps(result, indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    failed = result["unreadable"] or result["steps_lost"] or result["reported_damaged"]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
