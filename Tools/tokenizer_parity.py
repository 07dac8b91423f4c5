"""Digests of the reference's token ids for real models over a corpus: the fixture parity.json.

For each GGUF file the reference is huggingface/tokenizers with the file's vocabulary and merges and
the published pre-tokenizer; for Qwen2 the ids are compared with those of transformers reading the
same file as well (for SmolLM transformers forgets that digits stand alone), and with llama.cpp
where llama-cpp-python is installed. Texts that NFC changes are compared without normalisation,
which GGUF files do not ask for.

usage: python3 Tools/tokenizer_parity.py MODELS DATA Tests/TokenizersTests/Fixtures/parity.json
MODELS: folder with *.gguf; DATA: folder with *.jsonl.
Made with Python 3.11, tokenizers 0.23.3, transformers 5.23.0, gguf 0.19.0.
"""

import glob
import json
import os
import sys
import unicodedata

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models

from tokenizer_cases import CASES
from tokenizer_patterns import pre_tokenizer

FIELDS = ["problem", "answer", "solution", "trace"]
MODELS = ["qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct"]


def texts(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            for field in FIELDS:
                if isinstance(record.get(field), str):
                    yield record[field]


def reference(path):
    fields = gguf.GGUFReader(path).fields
    read = lambda key: fields["tokenizer.ggml." + key].contents()
    tokens, types, name = read("tokens"), read("token_type"), read("pre")
    vocabulary = {token: id for id, (token, type) in enumerate(zip(tokens, types)) if type == 1}
    added = [(id, token, type) for id, (token, type) in enumerate(zip(tokens, types))
             if type in (2, 3, 4)]
    vocabulary |= {token: id for id, token, _ in added}
    tokenizer = Tokenizer(models.BPE(
        vocabulary, [tuple(merge.split(" ")) for merge in read("merges")],
        ignore_merges=name == "llama-bpe",
    ))
    tokenizer.pre_tokenizer = pre_tokenizer(name)
    tokenizer.decoder = decoders.ByteLevel()
    for id, token, type in added:
        tokenizer.add_tokens([AddedToken(token, normalized=False, special=type != 4)])
        assert tokenizer.token_to_id(token) == id, token
    return tokenizer, name


def digest(ids_of_texts):
    """FNV-1a over 32-bit units: each id, and 0xFFFFFFFF after each text."""
    state, count = 0xCBF29CE484222325, 0
    for ids in ids_of_texts:
        count += len(ids)
        for unit in ids:
            state = ((state ^ unit) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ 0xFFFFFFFF) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{state:016x}", count


def main(model_folder, data_folder, output):
    result = {}
    for model in MODELS:
        path = f"{model_folder}/{model}.gguf"
        tokenizer, name = reference(path)
        others = {}
        if name == "qwen2":
            from transformers import AutoTokenizer
            loaded = AutoTokenizer.from_pretrained(model_folder, gguf_file=f"{model}.gguf")
            others["transformers"] = lambda text: loaded.encode(text, add_special_tokens=False)
        try:
            import llama_cpp
            llama = llama_cpp.Llama(path, vocab_only=True, verbose=False)
            others["llama.cpp"] = lambda text: llama.tokenize(
                text.encode(), add_bos=False, special=True)
        except ImportError:
            print("llama-cpp-python is not installed: not compared with llama.cpp")
        files = {}
        corpus = {os.path.basename(f): list(texts(f)) for f in glob.glob(f"{data_folder}/*.jsonl")}
        corpus["hand-made"] = [text for text in CASES.values()]
        for file, lines in sorted(corpus.items()):
            ids = [e.ids for e in tokenizer.encode_batch(lines, add_special_tokens=False)]
            differing = dict.fromkeys(others, 0)
            for other, encode in others.items():
                for line, expected in zip(lines, ids):
                    if encode(line) != expected:
                        differing[other] += 1
                        print(f"  {model}, {file}: {other} differs: {line[:60]!r}",
                              "" if unicodedata.is_normalized("NFC", line) else "(not NFC)")
            value, count = digest(ids)
            files[file] = {"texts": len(lines), "tokens": count, "digest": value}
            print(model, file, len(lines), count, value, differing)
        result[model] = files
        with open(output, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
