"""Fine-tuning speed of PyTorch and transformers, as `rsd-train bench` measures ours.

    python torch_train.py [--sequence 512] [--batch 1] [--ragged] [--micro-batch 4] [--steps 2]
        [--threads 2]

A model of Qwen3-0.6B's shape with random float32 weights; AdamW, clipping at 1. With --ragged the
sequences have the lengths of `rsd-train bench --ragged`, in random order, and are padded to the
longest of their micro-batch, whose gradients are added up; tokens a second count real tokens only.
Prints one JSON line: medians of the steps after the first.
"""

import argparse
import json
import random
import resource
import time

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--sequence", type=int, default=512)
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--ragged", action="store_true")
parser.add_argument("--micro-batch", type=int, default=4, help="sequences that go through at once")
parser.add_argument("--steps", type=int, default=2)
parser.add_argument("--threads", type=int)
arguments = parser.parse_args()
if arguments.threads:
    torch.set_num_threads(arguments.threads)
torch.manual_seed(0)

length, batch = arguments.sequence, arguments.batch
lengths = [length] * batch
if arguments.ragged:
    lengths = [max(2, length // 4 + (length - length // 4) * (i + 1) // batch) for i in range(batch)]
    random.Random(0).shuffle(lengths)

model = Qwen3ForCausalLM(
    Qwen3Config(
        vocab_size=151936,
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=28,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        tie_word_embeddings=True,
        use_cache=False,
    )
).float()
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=1e-4)


def micro_batch(lengths):
    ids = torch.randint(0, 151936, (len(lengths), max(lengths)))
    mask = torch.zeros_like(ids)
    for row, real in enumerate(lengths):
        mask[row, :real] = 1
    labels = ids.masked_fill(mask == 0, -100)
    return {"input_ids": ids, "labels": labels} | ({"attention_mask": mask} if arguments.ragged else {})


starts = range(0, batch, arguments.micro_batch)
micro_batches = [micro_batch(lengths[i : i + arguments.micro_batch]) for i in starts]
timings = []
for step in range(arguments.steps + 1):
    forward = backward = 0.0
    for inputs in micro_batches:
        start = time.perf_counter()
        loss = model(**inputs).loss / len(micro_batches)
        middle = time.perf_counter()
        loss.backward()
        forward += middle - start
        backward += time.perf_counter() - middle
    start = time.perf_counter()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    update = time.perf_counter() - start
    if step:
        timings.append((forward + backward + update, forward, backward, update))
seconds, forward, backward, update = sorted(timings)[len(timings) // 2]
print(
    json.dumps(
        {
            "tokens_per_second": sum(lengths) / seconds,
            "step_seconds": seconds,
            "forward_seconds": forward,
            "backward_seconds": backward,
            "optimizer_seconds": update,
            "peak_rss_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "loss": loss.item() * len(micro_batches),
            "tokens": sum(lengths),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
    )
)
