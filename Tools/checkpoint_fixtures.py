"""Makes Tests/CheckpointsTests/Fixtures: small model files as other people's tools write them.

    python Tools/checkpoint_fixtures.py Tests/CheckpointsTests/Fixtures

Made with Python 3.11, numpy 2.4.6, gguf 0.19.0, torch 2.15.0, safetensors 0.8.0; seed 7.

tiny.gguf            architecture llama, one tensor of each type that is read, q and k permuted
tiny.safetensors     the same tensors widened by the gguf package, named and ordered as published
sharded/             two shards, their index and a config.json; values are a formula (see below)
"""

import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

HIDDEN, HEADS, KV_HEADS, HEAD_DIM, FEED_FORWARD, VOCABULARY = 256, 2, 1, 8, 32, 3


def k_blocks(kind, rows, columns, rng):
    """Random blocks of a K format, which the package reads but does not write."""
    size = {"Q4_K": 144, "Q5_K": 176, "Q6_K": 210}[kind]
    blocks = rng.integers(0, 256, (rows * columns // 256, size), dtype=np.uint8)
    scales = rng.uniform(0.001, 0.02, (len(blocks), 2)).astype(np.float16).view(np.uint8)
    if kind == "Q6_K":
        blocks[:, 208:210] = scales[:, :2]
    else:
        blocks[:, 0:4] = scales
    return blocks.reshape(rows, -1)


def published_order(weights, heads):
    """Undoes the converter's permutation (transformers, LlamaTensorProcessor)."""
    half = weights.shape[0] // heads // 2
    return weights.reshape(heads, half, 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def tiny(folder):
    rng = np.random.default_rng(7)
    writer = gguf.GGUFWriter(str(folder / "tiny.gguf"), "llama")
    writer.add_block_count(1)
    writer.add_context_length(512)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(50000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    # The same letter as one scalar and as two, in GPT-2's byte alphabet and not.
    writer.add_token_list(["a", "\u00e0", "a\u0300"])
    writer.add_token_types([1, 3, 1])
    writer.add_token_merges(["a b", "\u0120 t"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template("{{ messages }}")

    layer = "blk.0."
    published = "model.layers.0."
    tensors = [  # GGUF name, published name, type, shape, heads whose rows are permuted
        ("token_embd.weight", "model.embed_tokens.weight", "Q6_K", (VOCABULARY, HIDDEN), 0),
        ("output_norm.weight", "model.norm.weight", "F32", (HIDDEN,), 0),
        ("output.weight", "lm_head.weight", "Q5_K", (VOCABULARY, HIDDEN), 0),
        (layer + "attn_norm.weight", published + "input_layernorm.weight", "F32", (HIDDEN,), 0),
        (layer + "attn_q.weight", published + "self_attn.q_proj.weight", "Q4_K", (HEADS * HEAD_DIM, HIDDEN), HEADS),
        (layer + "attn_q.bias", published + "self_attn.q_proj.bias", "F32", (HEADS * HEAD_DIM,), HEADS),
        (layer + "attn_k.weight", published + "self_attn.k_proj.weight", "Q8_0", (KV_HEADS * HEAD_DIM, HIDDEN), KV_HEADS),
        (layer + "attn_k.bias", published + "self_attn.k_proj.bias", "F16", (KV_HEADS * HEAD_DIM,), KV_HEADS),
        (layer + "attn_v.weight", published + "self_attn.v_proj.weight", "Q5_1", (KV_HEADS * HEAD_DIM, HIDDEN), 0),
        (layer + "attn_output.weight", published + "self_attn.o_proj.weight", "BF16", (HIDDEN, HEADS * HEAD_DIM), 0),
        (layer + "ffn_norm.weight", published + "post_attention_layernorm.weight", "F32", (HIDDEN,), 0),
        (layer + "ffn_gate.weight", published + "mlp.gate_proj.weight", "Q4_0", (FEED_FORWARD, HIDDEN), 0),
        (layer + "ffn_up.weight", published + "mlp.up_proj.weight", "Q4_1", (FEED_FORWARD, HIDDEN), 0),
        (layer + "ffn_down.weight", published + "mlp.down_proj.weight", "Q5_0", (HIDDEN, FEED_FORWARD), 0),
    ]
    expected = {}
    for name, hf_name, kind, shape, heads in tensors:
        type_ = gguf.GGMLQuantizationType[kind]
        values = rng.normal(0, 0.5, shape).astype(np.float32)
        if kind.endswith("_K"):
            stored = k_blocks(kind, *shape, rng)
        elif kind in ("F32", "F16"):
            stored = values.astype({"F32": np.float32, "F16": np.float16}[kind])
        else:
            stored = gguf.quants.quantize(values, type_)
        if kind in ("F32", "F16"):
            writer.add_tensor(name, stored)
            widened = stored.astype(np.float32)
        else:
            writer.add_tensor(name, stored, raw_dtype=type_)
            widened = gguf.quants.dequantize(stored, type_).reshape(shape)
        if heads:
            widened = published_order(widened, heads)
        expected[hf_name] = torch.from_numpy(np.ascontiguousarray(widened, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, str(folder / "tiny.safetensors"), metadata={"format": "pt"})


def sharded(folder):
    """Value i of a tensor is i / 4 - 3, which float16 and bfloat16 hold exactly."""
    folder.mkdir(exist_ok=True)

    def tensor(shape, dtype):
        count = int(np.prod(shape))
        return (torch.arange(count, dtype=torch.float32) / 4 - 3).reshape(shape).to(dtype)

    shards = {
        "model-00001-of-00002.safetensors": {
            "model.embed_tokens.weight": tensor((6, 5), torch.bfloat16),
            "model.norm.weight": tensor((5,), torch.float32),
        },
        "model-00002-of-00002.safetensors": {
            "model.layers.0.mlp.up_proj.weight": tensor((3, 5), torch.float16),
            "model.scalar": tensor((), torch.float32),
            "model.empty": tensor((0, 5), torch.float32),
        },
    }
    weight_map = {}
    for file, tensors in shards.items():
        save_file(tensors, str(folder / file), metadata={"format": "pt"})
        weight_map |= {name: file for name in tensors}
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    configuration = {"model_type": "qwen3", "hidden_size": 5, "vocab_size": 6}
    (folder / "config.json").write_text(json.dumps(configuration, indent=2) + "\n")
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ old }}"}')
    (folder / "chat_template.jinja").write_text("{{ new }}")


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    tiny(root)
    sharded(root / "sharded")
