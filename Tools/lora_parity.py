"""Makes Tests/ModelsTests/Fixtures/lora-<family>.safetensors: what PEFT computes for tiny models.

Run by hand:  python Tools/lora_parity.py Tests/ModelsTests/Fixtures
Made with torch 2.15, transformers 5.24, peft 0.21.2, safetensors 0.8, float32, CPU.

The models are those of model_parity.py. Both factors of every adapter follow the formula of their
names, so that no gradient vanishes; only results are stored: logits, the loss, the gradient of
every factor, and the losses of 20 AdamW steps on the factors alone.
"""

import sys

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

from model_parity import BATCH, formula, formula_model, loss_of, steps_of

RANK, ALPHA = 3, 5
# All maps in one family, some in another.
TARGETS = {
    "llama": ["q_proj", "v_proj"],
    "qwen2": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    "qwen3": ["k_proj", "o_proj", "down_proj"],
}


def published(name):
    """The name without what PEFT wraps around it."""
    return name.removeprefix("base_model.model.").replace(".default.", ".")


def main(folder):
    for family in TARGETS:
        base, _ = formula_model(family)
        model = get_peft_model(
            base,
            LoraConfig(
                r=RANK, lora_alpha=ALPHA, target_modules=TARGETS[family], task_type="CAUSAL_LM"
            ),
        )
        factors = {published(n): p for n, p in model.named_parameters() if p.requires_grad}
        with torch.no_grad():
            for name, parameter in factors.items():
                assert ".lora_" in name, name
                parameter.copy_(formula(name, list(parameter.shape)))
        out = {"logits": model(input_ids=BATCH).logits.detach().clone()}
        loss = loss_of(model, BATCH)
        loss.backward()
        out["loss"] = loss.detach().reshape(1).clone()
        for name, parameter in factors.items():
            out["gradient." + name] = parameter.grad.clone()
        out["steps"] = steps_of(model, factors.values(), 20)
        save_file({k: v.contiguous() for k, v in out.items()}, f"{folder}/lora-{family}.safetensors")
        print(family, len(factors), out["loss"].item(), out["steps"][-1].item())


if __name__ == "__main__":
    main(sys.argv[1])
