"""Times fine-tuning steps of Qwen3-0.6B's shape by us and by PyTorch, one after the other on the
same machine, and prints a Markdown table.

    python Tools/peers/training.py [--programs .build/release] [--steps 2] [CASE ...]

A case is SEQUENCE, BATCHxSEQUENCE, or BATCHxSEQUENCEr for ragged lengths, which PyTorch pads;
`--ours` leaves PyTorch out, where it does not fit. Needs torch and transformers.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path(".build/release"))
parser.add_argument("--steps", default="2")
parser.add_argument("--ours", action="store_true")
parser.add_argument("cases", nargs="*", default=["512", "2048", "16x256r"])
arguments = parser.parse_args()
peer = pathlib.Path(__file__).with_name("torch_train.py")


def measure(command, case):
    batch, sequence, ragged = re.fullmatch(r"(?:(\d+)x)?(\d+)(r?)", case).groups()
    options = ["--sequence", sequence, "--batch", batch or "1", "--steps", arguments.steps]
    output = subprocess.run(
        [*command, *options, *(["--ragged"] if ragged else [])],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    record = json.loads(output.splitlines()[-1])
    print(case, json.dumps(record), file=sys.stderr)
    return record


def cells(r):
    times = " + ".join(f"{r[f'{part}_seconds']:.2f}" for part in ("forward", "backward", "optimizer"))
    return f"{r['tokens_per_second']:.1f} | {times} | {r['peak_rss_bytes'] / 1e9:.1f}"


print("| case | | tokens/s | forward + backward + optimizer, s | peak, GB | ratio |")
print("| :--- | :--- | ---: | ---: | ---: | ---: |")
for case in arguments.cases:
    rsd = measure([arguments.programs / "rsd-train", "bench", "--json"], case)
    theirs = None if arguments.ours else measure([sys.executable, peer], case)
    ratio = rsd["tokens_per_second"] / theirs["tokens_per_second"] if theirs else None
    print(f"| {case} | rsd | {cells(rsd)} | {f'{ratio:.2f}' if ratio else ''} |", flush=True)
    if theirs:
        print(f"| | PyTorch | {cells(theirs)} | |", flush=True)
