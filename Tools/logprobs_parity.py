"""Compares `rsd-evaluate logprobs` with transformers on a GGUF file, and stores what transformers says.

Run by hand:
    python Tools/logprobs_parity.py MODEL.gguf TEXTS.jsonl [--program .build/release/rsd-evaluate]
        [--positions 1200] [--save Tests/CommandTests/Fixtures/smollm2-logprobs.json]
Made with torch 2.15, transformers 5.23, float32, CPU.

TEXTS.jsonl holds {"problem", "solution"} a line (GSM8K's test set); texts are taken in order until
they make enough positions. The token ids come from our own tokenizer, since transformers loses the
split-every-digit rule when it reads SmolLM2's GGUF; both sides then score the same ids.
Prints, for weights widened to float32 and as stored: the largest and mean difference of
log-probabilities, and the share of positions with the same most likely token.
"""

import argparse
import itertools
import json
import pathlib
import subprocess
import tempfile
import time

import torch
import transformers
from transformers import AutoModelForCausalLM


def lines(command, records=None):
    text = None if records is None else "".join(json.dumps(r) + "\n" for r in records)
    output = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def sequences(program, model, texts, positions):
    """Token ids of the first texts that together make enough positions."""
    with open(texts) as file:
        records = [json.loads(line) for line in itertools.islice(file, 200)]
    records = [{"text": record["problem"] + "\n" + record["solution"]} for record in records]
    result, total = [], 0
    for record in lines([program, "tokenize", "--model", model], records):
        result.append(record["ids"])
        total += len(record["ids"])
        if total >= positions:
            return result
    raise SystemExit(f"{texts}: only {total} positions")


def reference(path, batch):
    """Log-probabilities and most likely tokens by transformers in float32."""
    path = pathlib.Path(path)
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32
    )
    model.eval()
    result = []
    with torch.no_grad():
        for ids in batch:
            tokens = torch.tensor([ids])
            log_softmax = torch.log_softmax(model(tokens).logits[0], dim=-1)
            picked = log_softmax[:-1].gather(1, tokens[0, 1:, None])[:, 0]
            result.append(
                dict(ids=ids, logprobs=picked.tolist(), argmax=log_softmax.argmax(-1).tolist())
            )
    return result


def compare(name, expected, found, seconds):
    differences = [
        abs(a - b)
        for e, f in zip(expected, found, strict=True)
        for a, b in zip(e["logprobs"], f["logprobs"], strict=True)
    ]
    same = [
        a == b
        for e, f in zip(expected, found, strict=True)
        for a, b in zip(e["argmax"], f["argmax"], strict=True)
    ]
    print(
        f"{name}: {len(same)} positions, largest |d log p| {max(differences):.2e}, "
        f"mean {sum(differences) / len(differences):.2e}, "
        f"argmax equal {100 * sum(same) / len(same):.2f} %, {seconds:.1f} s"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("texts")
    parser.add_argument("--program", default=".build/release/rsd-evaluate")
    parser.add_argument("--positions", type=int, default=1200)
    parser.add_argument("--save")
    options = parser.parse_args()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")

    batch = sequences(options.program, options.model, options.texts, options.positions)
    expected = reference(options.model, batch)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(dict(ids=ids)) + "\n" for ids in batch)
        file.flush()
        for storage in ["float32", "stored"]:
            command = [options.program, "logprobs", "--model", options.model]
            command += ["--input", file.name, "--storage", storage]
            start = time.time()
            found = lines(command)
            compare(storage, expected, found, time.time() - start)
    if options.save:
        stored = [
            dict(item, logprobs=[round(value, 5) for value in item["logprobs"]])
            for item in expected
        ]
        content = dict(
            model=pathlib.Path(options.model).name,
            made_with=f"torch {torch.__version__}, transformers {transformers.__version__}",
            sequences=stored,
        )
        pathlib.Path(options.save).write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
