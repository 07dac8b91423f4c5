"""Makes Tests/TokenizersTests/Fixtures/{gpt-2,qwen2,llama-bpe,smollm}.json and cases.json.

Four small byte-level vocabularies, trained here on text written for the purpose, one for each
pre-tokenizer, and the ids that huggingface/tokenizers gives for the hand-made texts.

usage: python3 Tools/tokenizer_fixtures.py Tests/TokenizersTests/Fixtures
Made with Python 3.11, tokenizers 0.23.3.
"""

import json
import sys

from tokenizers import AddedToken, Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from tokenizer_cases import CASES
from tokenizer_patterns import pre_tokenizer

TEXT = """
Let us work through the problem step by step. First we find the number of apples, then we add.
There are 12 boxes and each box holds 24 pencils, so there are 12 * 24 = 288 pencils in all.
If she gives 3/4 of them away, she has 288 / 4 = 72 left. Wait, let me check: 72 * 4 = 288. Yes.
Therefore the answer is \\boxed{72}. I'm sure that it's right, because we've checked it twice.
They're selling 1,000 tickets at $2.50 each; that'd be $2,500, and he'll keep half, don't you see?
The area of a circle is \\pi r^2, and \\frac{1}{2} + \\frac{1}{3} = \\frac{5}{6}. Thus x = 5 or x = -5.
def total(values):
    result = 0
    for value in values:
        result += value
    return result

if __name__ == "__main__":
    print(total([1, 2, 3]))
The user asks, the assistant thinks and answers; the system says nothing. hahaha!!!! ========
Caf\u00e9, na\u00efve, \u00c5ngstr\u00f6m; \u00fcber die Br\u00fccke gehen sieben Sch\u00fcler. El ni\u00f1o comi\u00f3 tres manzanas.
\u041d\u0430 \u0441\u0442\u043e\u043b\u0435 \u043b\u0435\u0436\u0430\u0442 \u043f\u044f\u0442\u044c \u044f\u0431\u043b\u043e\u043a. \u6211\u60f3\u5728\u8fd9\u91cc\u5de5\u4f5c\u3002\u7b54\u6848\u662f\u56db\u5341\u4e8c\u3002 \u3053\u3093\u306b\u3061\u306f\u4e16\u754c\u3002
\U0001f680 \U0001f680 \u2705 \U0001f999 \u2200x\u2208\u211d \u2211 \u2264 \u221e
"""
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_pad|>"]
ADDED = ["<tool_call>", "</tool_call>", "<think>", "</think>", "<think>ing"]


def train(name):
    tokenizer = Tokenizer(models.BPE())
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizer(name)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1256 + len(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=SPECIAL if name == "smollm" else [],
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT] * 3, trainer)
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in ADDED])
    if name == "llama-bpe":
        tokenizer = with_unreachable_tokens(tokenizer)
    return tokenizer


def with_unreachable_tokens(tokenizer):
    """Llama 3's file has tokens that no merges lead to: only `ignore_merges` finds them."""
    data = json.loads(tokenizer.to_str())
    data["model"]["ignore_merges"] = True
    data["model"]["merges"] = [
        pair for pair in data["model"]["merges"] if "".join(pair) not in ("Ġthe", "Ġanswer", "sold")
    ]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    bos = "<|endoftext|>"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A",
        pair=f"{bos} $A {bos}:1 $B:1",
        special_tokens=[(bos, tokenizer.token_to_id(bos))],
    )
    return tokenizer


def main(folder):
    names = ["gpt-2", "qwen2", "llama-bpe", "smollm"]
    expected = {}
    for name in names:
        tokenizer = train(name)
        with open(f"{folder}/{name}.json", "w", encoding="utf-8") as file:
            json.dump(json.loads(tokenizer.to_str()), file, separators=(",", ":"))
            file.write("\n")
        expected[name] = {}
        for as_text in (False, True):
            tokenizer.encode_special_tokens = as_text
            expected[name]["asText" if as_text else "parse"] = [
                tokenizer.encode(text, add_special_tokens=False).ids for text in CASES.values()
            ]
    with open(f"{folder}/cases.json", "w", encoding="utf-8") as file:
        cases = [{"name": name, "text": text} for name, text in CASES.items()]
        json.dump({"cases": cases, "ids": expected}, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
