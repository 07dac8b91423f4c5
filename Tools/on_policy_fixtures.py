"""Makes Tests/TrainingTests/Fixtures/on-policy.{json,safetensors}: ten steps of on-policy training.

Run by hand:  python Tools/on_policy_fixtures.py Tests/TrainingTests/Fixtures
Made with torch 2.15, transformers 5.23, safetensors 0.8, float32, CPU.

A tiny student learns reverse KL from a tiny teacher along recorded rollouts: each step has three, of
different lengths, with the probabilities that a sampler gave their tokens. Stored are both models'
first weights, the rollouts, and of each step the loss, the mean entropy of the student, and the mean
of r - 1 - ln r, where r is the student's probability of a token over the sampler's. AdamW with a
constant learning rate of 1e-2, betas 0.9 and 0.95, eps 1e-8, decay 0.1 on matrices, clipping at 1.
"""

import json
import sys

import torch
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM

# As many tokens as the miniature world has.
VOCABULARY = int(sys.argv[2]) if len(sys.argv) > 2 else 46
CONFIG = dict(
    vocab_size=VOCABULARY,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    max_position_embeddings=128,
    rms_norm_eps=1e-6,
    rope_theta=1e4,
    tie_word_embeddings=True,
    use_cache=False,
)


def model(seed, spread):
    torch.manual_seed(seed)
    made = Qwen3ForCausalLM(Qwen3Config(**CONFIG)).float()
    with torch.no_grad():
        for parameter in made.parameters():
            noise = torch.randn_like(parameter)
            parameter.copy_(noise * spread if parameter.dim() > 1 else 1 + noise * 0.1)
    return made


def weights(prefix, made):
    names = dict(made.named_parameters())
    return {f"{prefix}.{name}": value.detach().clone() for name, value in names.items()}


def main():
    student, teacher = model(1, 0.3), model(2, 0.4)
    stored = weights("student", student) | weights("teacher", teacher)
    torch.manual_seed(3)
    steps = []
    for step in range(10):
        rollouts = []
        for number in range(3):
            prompt = torch.randint(0, VOCABULARY, (3 + number,)).tolist()
            ids = torch.randint(0, VOCABULARY, (4 + (5 * step + 3 * number) % 9,)).tolist()
            drawn = (0.02 + 0.9 * torch.rand(len(ids))).tolist()
            rollouts.append({"prompt": prompt, "ids": ids, "drawn": drawn})
        steps.append({"rollouts": rollouts})

    matrices = [p for p in student.parameters() if p.dim() > 1]
    vectors = [p for p in student.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        lr=1e-2,
        betas=(0.9, 0.95),
        eps=1e-8,
    )
    for step in steps:
        loss, entropy, distance, count = 0.0, 0.0, 0.0, 0
        for rollout in step["rollouts"]:
            prompt, ids = rollout["prompt"], rollout["ids"]
            tokens = torch.tensor([prompt + ids])
            rows = slice(len(prompt) - 1, len(prompt) + len(ids) - 1)
            s = student(input_ids=tokens).logits[0, rows].log_softmax(-1)
            with torch.no_grad():
                t = teacher(input_ids=tokens).logits[0, rows].log_softmax(-1)
            loss = loss + (s.exp() * (s - t)).sum()
            with torch.no_grad():
                entropy -= (s.exp() * s).sum().item()
                own = s.gather(-1, torch.tensor(ids)[:, None])[:, 0].double()
                ratio = own - torch.tensor(rollout["drawn"]).double().log()
                distance += (ratio.exp() - 1 - ratio).sum().item()
            count += len(ids)
        loss = loss / count
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        step["loss"] = loss.item()
        step["entropy"], step["sampler_kl"] = entropy / count, distance / count
    folder = sys.argv[1]
    save_file(stored, f"{folder}/on-policy.safetensors")
    with open(f"{folder}/on-policy.json", "w") as file:
        json.dump({"config": CONFIG, "steps": steps}, file)


main()
