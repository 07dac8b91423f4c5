"""Makes Tests/ModelsTests/Fixtures/<family>.safetensors: what transformers computes for tiny models.

Run by hand:  python Tools/model_parity.py Tests/ModelsTests/Fixtures
Made with torch 2.15, transformers 5.23, safetensors 0.8, float32, CPU.

Weights follow a formula that the Swift test repeats, so only results are stored: logits of a
forward pass, the loss with masked targets, the gradient of every parameter, and the losses of 20
AdamW steps (constant learning rate 1e-2, betas 0.9/0.95, eps 1e-8, decay 0.1 on matrices,
clipping at 1).
"""

import json
import math
import sys

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM
from transformers import MistralConfig, MistralForCausalLM
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers import Qwen3Config, Qwen3ForCausalLM
from transformers import SmolLM3Config, SmolLM3ForCausalLM

COMMON = dict(
    vocab_size=37,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    rms_norm_eps=1e-6,
    attention_dropout=0.0,
    use_cache=False,
)
# Some families' usual ids lie beyond this vocabulary.
SPECIAL = dict(bos_token_id=1, eos_token_id=2, pad_token_id=None)
FAMILIES = {
    "llama": (
        LlamaForCausalLM,
        LlamaConfig(
            **COMMON,
            tie_word_embeddings=False,
            rope_theta=500.0,
            rope_scaling=dict(
                rope_type="llama3",
                factor=8.0,
                low_freq_factor=1.0,
                high_freq_factor=4.0,
                original_max_position_embeddings=32,
            ),
        ),
    ),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**COMMON, tie_word_embeddings=True, rope_theta=1e4)),
    "qwen3": (
        Qwen3ForCausalLM,
        Qwen3Config(**COMMON, head_dim=8, tie_word_embeddings=True, rope_theta=1e4),
    ),
    "smollm3": (
        SmolLM3ForCausalLM,
        SmolLM3Config(
            **COMMON,
            **SPECIAL,
            no_rope_layer_interval=2,
            tie_word_embeddings=True,
            rope_theta=1e4,
        ),
    ),
    "mistral": (
        MistralForCausalLM,
        MistralConfig(
            **COMMON,
            **SPECIAL,
            head_dim=8,
            sliding_window=96,
            tie_word_embeddings=False,
            rope_theta=1e4,
        ),
    ),
}
BATCH = torch.tensor([[(7 * t + 3 * s + t * t) % 37 for t in range(11)] for s in range(3)])


def formula(name, shape):
    """The weight of each element: a sine of its index with a phase from the name's bytes."""
    phase = sum(name.encode())
    count = math.prod(shape)
    wave = torch.sin(torch.arange(count, dtype=torch.float64) * 1.7 + phase)
    if len(shape) > 1:
        wave = wave * 1.4 / math.sqrt(shape[-1])
    elif name.endswith("bias"):
        wave = wave * 0.1
    else:
        wave = 1 + wave * 0.1
    return wave.to(torch.float32).reshape(shape)


def loss_of(model, batch):
    """Mean cross-entropy over targets at rows 4 and later of each sequence."""
    logits = model(input_ids=batch).logits
    targets = batch[:, 1:].clone()
    targets[:, :4] = -100
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100
    )


def formula_model(family):
    """A model of a family with the formula's weights, and its configuration."""
    cls, config = FAMILIES[family]
    model = cls._from_config(config, attn_implementation="eager").to(torch.float32)
    model.train()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(formula(name, list(parameter.shape)))
    return model, config


def adamw(parameters):
    """Decay on matrices only, as AdamW of Sources/Autograd."""
    parameters = list(parameters)
    return torch.optim.AdamW(
        [
            dict(params=[p for p in parameters if p.ndim > 1], weight_decay=0.1),
            dict(params=[p for p in parameters if p.ndim <= 1], weight_decay=0.0),
        ],
        lr=1e-2,
        betas=(0.9, 0.95),
        eps=1e-8,
    )


def steps_of(model, parameters, count):
    """Losses of some optimizer steps."""
    parameters = list(parameters)
    optimizer = adamw(parameters)
    losses = []
    for _ in range(count):
        optimizer.zero_grad()
        loss = loss_of(model, BATCH)
        loss.backward()
        losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    return torch.tensor(losses)


def main(folder):
    for family in FAMILIES:
        model, config = formula_model(family)
        out = {"logits": model(input_ids=BATCH).logits.detach().clone()}
        loss = loss_of(model, BATCH)
        loss.backward()
        out["loss"] = loss.detach().reshape(1).clone()
        for name, parameter in model.named_parameters():
            out["gradient." + name] = parameter.grad.clone()
        out["steps"] = steps_of(model, model.parameters(), 20)
        path = f"{folder}/{family}"
        save_file({k: v.contiguous() for k, v in out.items()}, path + ".safetensors")
        with open(path + ".config.json", "w") as file:
            json.dump(config.to_dict(), file, indent=1, sort_keys=True, default=str)
        print(family, out["loss"].item(), out["steps"][-1].item())


if __name__ == "__main__":
    main(sys.argv[1])
