"""Decoding speed of rsd-generate beside llama.cpp and a loop over transformers, on one machine.

usage: decoding.py RSD_GENERATE TEACHER.gguf [STUDENT.gguf] [--batches 1,8,16] [--rounds 3]

The programs run in turn, each as a process of its own, several rounds over; medians are compared.
llama.cpp decodes random tokens behind prompts of 128 tokens and samples nothing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

PROMPT, TOKENS = 128, 48


def ours(arguments, batch):
    command = [arguments.program, "bench", "--teacher", arguments.teacher, "--json"]
    command += ["--batch", str(batch), "--prompt-tokens", str(PROMPT), "--tokens", str(TOKENS)]
    if arguments.student:
        command += ["--student", arguments.student]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def peer(name, *rest):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    command = [sys.executable, script, *map(str, rest)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def median(runs, key):
    values = [run[key] for run in runs if run.get(key) is not None]
    return statistics.median(values) if values else None


def show(what, own, other, name):
    if own is None or other is None:
        return
    print(f"{what:<28} {own:9.1f} {other:9.1f} {own / other:7.2f} x  {name}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("teacher")
    parser.add_argument("student", nargs="?")
    parser.add_argument("--batches", default="1,8,16")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    threads = len(os.sched_getaffinity(0))

    print(f"{os.path.basename(arguments.teacher)}, {threads} threads, tokens a second")
    print(f"{'':<28} {'ours':>9} {'peer':>9} {'ratio':>7}")
    rsd = []
    for batch in map(int, arguments.batches.split(",")):
        own, other = [], []
        for _ in range(arguments.rounds):
            own.append(ours(arguments, batch))
            other.append(peer("llamacpp.py", arguments.teacher, threads, batch, PROMPT, TOKENS))
        for key, label in [("prompt_tokens_per_second", "prompt"),
                           ("decode_tokens_per_second", "decode")]:
            show(f"{label}, batch {batch}", median(own, key), median(other, key), "llama.cpp")
        rsd.append((batch, median(own, "rsd_tokens_per_second")))
    if arguments.student:
        other = median([peer("transformers_rsd.py", arguments.teacher, arguments.student, "bfloat16",
                             TOKENS) for _ in range(arguments.rounds)], "rsd_tokens_per_second")
        for batch, own in rsd:
            show(f"RSD, batch {batch}", own, other, "transformers, one sequence")


main()
