"""Speed of rsd-generate beside llama.cpp and a loop over transformers, as a Markdown table.

usage: decoding.py RSD_GENERATE TEACHER.gguf [STUDENT.gguf] [options]; --help lists them

The programs run in turn, each as a process of its own, several rounds over; medians are compared.
llama.cpp decodes random tokens behind random prompts and samples nothing; ours samples. Every run's
numbers go to stderr as JSON.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("teacher")
    parser.add_argument("student", nargs="?")
    parser.add_argument("--parts", default="decode,rsd", help="decode, rsd, or both")
    parser.add_argument("--batches", default="1,8,16,32", help="of decoding")
    parser.add_argument("--rsd-batches", default="16,32")
    parser.add_argument("--dtypes", default="float32,bfloat16", help="of the transformers loop")
    parser.add_argument("--prompt-tokens", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=48, help="made for each sequence")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def run(command):
    output = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
    record = json.loads(output.stdout)
    print(json.dumps(record), file=sys.stderr, flush=True)
    return record


def ours(arguments, batch, *models):
    options = ["--batch", batch, "--prompt-tokens", arguments.prompt_tokens]
    options += ["--tokens", arguments.tokens, "--json"]
    names = ["--teacher", "--student"]
    return run([arguments.program, "bench", *options, *sum(zip(names, models), ())])


def peer(name, *rest):
    folder = os.path.dirname(os.path.abspath(__file__))
    return run([sys.executable, os.path.join(folder, name), *rest])


def exported(program, model, folder):
    """The model as a Hugging Face folder: transformers takes minutes to widen a GGUF file."""
    target = os.path.join(folder, os.path.abspath(model).strip("/").replace("/", "-"))
    if not os.path.exists(target):
        train = os.path.join(os.path.dirname(program), "rsd-train")
        subprocess.run([train, "export", model, "--to", target], check=True, stdout=sys.stderr)
    return target


def row(what, own, name, other, key):
    """One comparison of medians."""
    mine, theirs = (statistics.median(r[key] for r in runs) for runs in (own, other))
    print(f"| {what} | {mine:.1f} | {theirs:.1f} | {mine / theirs:.2f} | {name} |", flush=True)


def decoding(arguments, path, threads):
    """Prompts and decoding of one model."""
    for batch in map(int, arguments.batches.split(",")):
        own, other = [], []
        for _ in range(arguments.rounds):
            own.append(ours(arguments, batch, path))
            other.append(peer("llamacpp.py", path, threads, batch, arguments.prompt_tokens,
                              arguments.tokens))
        model = os.path.basename(path)
        row(f"{model}, prompts of {batch}", own, "llama.cpp", other, "prompt_tokens_per_second")
        row(f"{model}, decode, batch {batch}", own, "llama.cpp", other, "decode_tokens_per_second")


def reverse_speculative(arguments, folder):
    """RSD beside a loop over transformers, and beside the teacher's own decoding in the same runs."""
    batches = list(map(int, arguments.rsd_batches.split(",")))
    own = {batch: [] for batch in batches}
    other = {dtype: [] for dtype in arguments.dtypes.split(",")}
    for _ in range(arguments.rounds):
        for batch, runs in own.items():
            runs.append(ours(arguments, batch, arguments.teacher, arguments.student))
        for dtype, runs in other.items():
            models = [exported(arguments.program, model, folder)
                      for model in (arguments.teacher, arguments.student)]
            runs.append(peer("transformers_rsd.py", *models, dtype, arguments.tokens))
    for batch in batches:
        for dtype, runs in other.items():
            row(f"RSD, batch {batch}", own[batch], f"transformers, {dtype}, one sequence", runs,
                "rsd_tokens_per_second")
        alone = [{"rsd_tokens_per_second": r["decode_tokens_per_second"]} for r in own[batch]]
        row(f"RSD, batch {batch}", own[batch], "our teacher alone", alone, "rsd_tokens_per_second")


def processor():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main():
    arguments = parse()
    threads = len(os.sched_getaffinity(0))
    parts = arguments.parts.split(",")
    packages = ", ".join(f"{name} {version(name)}"
                         for name in ("llama-cpp-python", "torch", "transformers"))
    print(f"{platform.node()}: {processor()}, {threads} threads; {packages}.")
    print(f"Medians of {arguments.rounds} rounds, tokens a second.\n")
    print("| | ours | peer | ratio | peer is |\n| :--- | ---: | ---: | ---: | :--- |", flush=True)
    if "decode" in parts:
        for path in filter(None, [arguments.teacher, arguments.student]):
            decoding(arguments, path, threads)
    if "rsd" in parts and arguments.student:
        with tempfile.TemporaryDirectory() as folder:
            reverse_speculative(arguments, folder)


main()
