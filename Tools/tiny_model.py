"""Writes a model of a few thousand random weights that spells every byte, as a Hugging Face folder.

    python3 Tools/tiny_model.py FOLDER

For drivers that need a model which reads any text; needs nothing but Python.
"""

import json
import pathlib
import random
import struct
import sys

HIDDEN, INNER, LAYERS = 8, 16, 1
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def spellings():
    """The byte alphabet of GPT-2, in the order of the bytes."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in visible else next(others)) for byte in range(256)]


def tokenizer():
    vocabulary = {text: index for index, text in enumerate(spellings())}
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": 256 + index, "content": text, "special": True, "normalized": False,
             "single_word": False, "lstrip": False, "rstrip": False}
            for index, text in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }


def configuration():
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 259,
        "hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "hidden_act": "silu",
        "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "max_position_embeddings": 8192,
        "tie_word_embeddings": True, "eos_token_id": 258,
    }


def tensors():
    yield "model.embed_tokens.weight", [259, HIDDEN]
    for layer in range(LAYERS):
        path = f"model.layers.{layer}"
        yield f"{path}.input_layernorm.weight", [HIDDEN]
        yield f"{path}.self_attn.q_proj.weight", [8, HIDDEN]
        yield f"{path}.self_attn.k_proj.weight", [4, HIDDEN]
        yield f"{path}.self_attn.v_proj.weight", [4, HIDDEN]
        yield f"{path}.self_attn.o_proj.weight", [HIDDEN, 8]
        yield f"{path}.post_attention_layernorm.weight", [HIDDEN]
        yield f"{path}.mlp.gate_proj.weight", [INNER, HIDDEN]
        yield f"{path}.mlp.up_proj.weight", [INNER, HIDDEN]
        yield f"{path}.mlp.down_proj.weight", [HIDDEN, INNER]
    yield "model.norm.weight", [HIDDEN]


def safetensors(seed=1):
    chance = random.Random(seed)
    header, data = {}, b""
    for name, shape in tensors():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = [1.0] * count if len(shape) == 1 else [chance.gauss(0, 0.5) for _ in range(count)]
        begin = len(data)
        data += struct.pack(f"<{count}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    return framed(json.dumps(header).encode(), data)


def framed(header, data):
    """A safetensors file of a header and its numbers."""
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + data


def write(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(configuration()))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "model.safetensors").write_bytes(safetensors())


if __name__ == "__main__":
    write(sys.argv[1])
