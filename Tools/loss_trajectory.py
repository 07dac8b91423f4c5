"""Trains a real model on real solutions twice, by `rsd-train run` and by PyTorch, and compares the
loss of every step.

Run by hand (about ten minutes on two cores):
    python Tools/loss_trajectory.py MODEL.gguf gsm8k_train.jsonl --shape qwen2.5-0.5b
        [--steps 50] [--batch 2] [--longest 400] [--moments bfloat16] [--precision bfloat16]
        [--programs .build/release] [--save docs/loss-trajectory.csv]
Made with torch 2.15, transformers 5.23, float32, CPU.

Both sides start from the same float32 weights (`rsd-train export` writes what it reads from the
file) and take the same examples in the same order: GSM8K's first problems and solutions (those of
at most --longest characters together) under ChatML, only the solution trained, AdamW with decay on
matrices, clipping at 1, warm-up and cosine. The order is recomputed here from its definition, a
Philox permutation, and checked against the token count of every step. Fails if any loss differs by
more than 1e-3 of its size.

With --precision bfloat16 our training runs in float32 and in bfloat16, PyTorch's under autocast to
bfloat16, and both are compared with our losses in float32; fails if the mean loss of ours differs by
more than 5e-3, or if single losses differ by more on average than PyTorch's.
"""

import argparse
import csv
import hashlib
import itertools
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM

LEARNING_RATE, WARMUP, BETAS, EPSILON, DECAY, CLIP = 1e-5, 0.1, (0.9, 0.95), 1e-8, 1e-4, 1.0

EXPERIMENT = """\
name: loss-trajectory
seeds: [1]
models: {{student: {{path: {model}, shape: {shape}}}}}
benchmarks: [{{name: unused, path: {data}, limit: 1}}]
template: {{preset: chatml, system: Solve.}}
training: {{learningRate: {LEARNING_RATE}, warmupFraction: {WARMUP}, weightDecay: {DECAY}, epochs: 1,
  batch: {batch}, maxLength: 4096, overlong: error, moments: {moments},
  precision: {precision}}}
arms:
  base: {{kind: base}}
  solutions: {{kind: direct, traces: {{path: {traces}}}}}
"""


def philox(key, counter):
    mask = 0xFFFFFFFF
    (k0, k1), (x, y, z, w) = key, counter
    for _ in range(10):
        a, b = x * 0xD2511F53, z * 0xCD9E8D57
        x, y, z, w = (b >> 32) ^ y ^ k0, b & mask, (a >> 32) ^ w ^ k1, a & mask
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    return x, y, z, w


def permutation(count, seed, epoch):
    """What `RandomStream(seed:name: "shuffle").permutation(count:item: epoch)` gives."""
    bits = int.from_bytes(hashlib.sha256(f"{seed}:shuffle".encode()).digest()[:8], "big")
    key, order = (bits & 0xFFFFFFFF, bits >> 32), list(range(count))
    for last in range(count - 1, 0, -1):
        x, y, _, _ = philox(key, (epoch, 0, 0xFFFF << 16, last))
        at = ((y << 32 | x) * (last + 1)) >> 64
        order[last], order[at] = order[at], order[last]
    return order


def run(command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def ours(programs, experiment, runs):
    environment = os.environ | {"RSD_RUNS": str(runs)}
    run([programs / "rsd-generate", "run", experiment], env=environment, stdout=sys.stderr)
    run([programs / "rsd-train", "run", experiment], env=environment, stdout=sys.stderr)
    (path,) = runs.glob("**/training/*/metrics.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def examples(programs, model, records):
    """Ids and prompt length of each example, tokenized piece by piece as prompts are."""
    texts = []
    for record in records:
        texts += ["<|im_start|>system\n", "Solve.", "<|im_end|>\n<|im_start|>user\n"]
        texts += [record["problem"]]
        texts += ["<|im_end|>\n<|im_start|>assistant\n", record["solution"], "<|im_end|>"]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    output = run(
        [programs / "rsd-evaluate", "tokenize", "--model", model], input=lines, capture_output=True
    ).stdout
    pieces = iter(json.loads(line)["ids"] for line in output.splitlines())
    result = []
    for _ in records:
        *turns, solution, end = itertools.islice(pieces, 7)
        prompt = sum(turns, [])
        result.append((prompt + solution + end, len(prompt)))
    return result


def peers(folder, batches, precision):
    """Losses by PyTorch, one a step."""
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.train()
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON)
    warmup = math.ceil(WARMUP * len(batches))
    for step, batch in enumerate(batches):
        rate = (step + 1) / warmup
        if step >= warmup:
            rate = 0.5 * (1 + math.cos(math.pi * (step - warmup) / (len(batches) - warmup)))
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * rate
        targets, total = sum(len(ids) - prompt for ids, prompt in batch), 0.0
        for ids, prompt in batch:
            tokens = torch.tensor([ids])
            with autocast:
                logits = model(tokens[:, :-1], use_cache=False).logits[0, prompt - 1 :]
            loss = torch.nn.functional.cross_entropy(
                logits.float(), tokens[0, prompt:], reduction="sum"
            )
            (loss / targets).backward()
            total += loss.item() / targets
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()
        yield total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--shape", default="qwen2.5-0.5b")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--longest", type=int, default=1 << 20)
    parser.add_argument("--moments", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path(".build/release"))
    parser.add_argument("--save", type=pathlib.Path)
    arguments = parser.parse_args()
    programs, model = arguments.programs.absolute(), os.path.abspath(arguments.model)
    with open(arguments.data) as file:
        all_records = map(json.loads, file)
        short = (r for r in all_records if len(r["problem"] + r["solution"]) <= arguments.longest)
        records = list(itertools.islice(short, arguments.steps * arguments.batch))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with open(folder / "traces.jsonl", "w") as file:
            for r in records:
                trace = {key: r[key] for key in ("id", "problem", "answer")}
                file.write(json.dumps(trace | {"trace": r["solution"]}) + "\n")
        settings = globals() | {
            "model": model,
            "shape": arguments.shape,
            "data": os.path.abspath(arguments.data),
            "batch": arguments.batch,
            "moments": arguments.moments,
            "precision": "float32",
            "traces": folder / "traces.jsonl",
        }
        (folder / "experiment.yaml").write_text(EXPERIMENT.format(**settings))
        metrics = ours(programs, folder / "experiment.yaml", folder / "runs")
        rounded = metrics
        if arguments.precision != "float32":
            settings["precision"] = arguments.precision
            (folder / "experiment.yaml").write_text(EXPERIMENT.format(**settings))
            rounded = ours(programs, folder / "experiment.yaml", folder / "rounded")
        all_examples = examples(programs, model, records)
        order = permutation(len(records), 1, 0)
        batches = [
            [all_examples[i] for i in order[at : at + arguments.batch]]
            for at in range(0, len(records), arguments.batch)
        ]
        for line, batch in zip(metrics, batches, strict=True):
            assert line["tokens"] == sum(len(ids) - 1 for ids, _ in batch), line
        run([programs / "rsd-train", "export", model, "--to", folder / "model"], stdout=sys.stderr)
        rows, errors = [], []
        losses = peers(folder / "model", batches, arguments.precision)
        for line, ours_rounded, loss in zip(metrics, rounded, losses, strict=True):
            exact = line["loss"]
            error = abs(exact - loss) / loss
            row = [line["step"], f"{exact:.6f}"]
            if rounded is not metrics:
                own = abs(ours_rounded["loss"] - exact) / exact
                error = abs(loss - exact) / exact
                row += [f"{ours_rounded['loss']:.6f}", f"{own:.2e}"]
                errors.append((own, error))
            else:
                errors.append((error, error))
            rows.append((*row, f"{loss:.6f}", f"{error:.2e}"))
            print(*rows[-1], flush=True)
    own, theirs = zip(*errors)
    header = ["step", "rsd", "pytorch", "relative_difference"]
    if arguments.precision != "float32":
        header = ["step", "rsd", "rsd_bfloat16", "relative_difference", "pytorch_autocast",
                  "relative_difference_of_pytorch"]
    if arguments.save:
        with open(arguments.save, "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [header, *rows]
            )
    if arguments.precision == "float32":
        print(f"largest relative difference of {len(rows)} losses: {max(own):.2e}")
        sys.exit(max(own) > 1e-3)
    exact, rounded, autocast = (
        sum(float(row[column]) for row in rows) / len(rows) for column in (1, 2, 4)
    )
    for name, values, mean in (("rsd", own, rounded), ("PyTorch", theirs, autocast)):
        print(
            f"{name} in {arguments.precision} against float32, {len(rows)} losses: their mean differs by "
            f"{mean / exact - 1:+.2e}; single ones by {sum(values) / len(values):.2e} on average and "
            f"{max(values):.2e} at most"
        )
    sys.exit(abs(rounded / exact - 1) > 5e-3 or sum(own) > sum(theirs))


if __name__ == "__main__":
    main()
