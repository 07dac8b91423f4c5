"""Runs a miniature experiment on every instruction set that this CPU has, with several numbers of
threads, and compares every result byte by byte.

    python3 Tools/same_bits.py [--bin .build/release]

Base models, traces, selections, students and samples of all runs have to be the same files. Prints one
line a run; exits 1 where a file differs.
"""

import argparse
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

from damaged_files import EXPERIMENT

RUNS = [("avx512", 2), ("avx512", 64), ("avx2", 1), ("avx2", 3), ("portable", 2)]
# Times of the day and of the steps, and digests of files that hold them.
TIMED = ("metrics", "events.", "manifest.json", "scores.jsonl", "costs.", "lock")


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(TIMED) and path.suffix != ".html"
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(".build/release"))
    programs = parser.parse_args().bin.absolute()
    stages = pathlib.Path(__file__).with_name("run-stages").absolute()
    first, differ = None, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "tiny.yaml").write_text(EXPERIMENT)
        for instructions, threads in RUNS:
            run = folder / f"{instructions}-{threads}"
            environment = os.environ | {
                "RSD_INSTRUCTION_SET": instructions,
                "RSD_THREADS": str(threads),
                "RSD_RUNS": str(run / "runs"),
                "RSD_RESULTS": str(run / "results"),
            }
            process = subprocess.run(
                [stages, programs, "report", "tiny.yaml"],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
            )
            if "cannot run RSD_INSTRUCTION_SET" in process.stderr:
                print(f"{instructions}: this CPU has it not")
                continue
            if process.returncode != 0:
                sys.exit(f"ERROR: {instructions}, {threads} threads: {process.stderr[-2000:]}")
            found = digests(run)
            first = first or found
            different = [path for path in first.keys() | found.keys() if first.get(path) != found.get(path)]
            differ += len(different)
            print(f"{instructions}, {threads} threads: {len(found)} files, {len(different)} differ")
            for path in sorted(different)[:10]:
                print(f"    {path}")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
