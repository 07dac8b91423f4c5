"""Reverse Speculative Decoding of one sequence as a short loop over transformers with KV caches.

usage: transformers_rsd.py TEACHER_FOLDER STUDENT_FOLDER DTYPE NEW_TOKENS
"""

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

QUESTION = ("A shop sells pens at 3 dollars and books at 12 dollars. Ann buys 4 pens and 2 books and "
            "pays with a 50 dollar note. How much change does she get?")


def main():
    *folders, dtype, new = sys.argv[1:5]
    teacher, student = (
        AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
        for folder in folders
    )
    tokenizer = AutoTokenizer.from_pretrained(folders[1])
    text = f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    ids = torch.tensor([tokenizer.encode(text)])
    torch.manual_seed(0)
    with torch.inference_mode():
        ahead, judge = teacher(ids, use_cache=True), student(ids, use_cache=True)
        start = time.perf_counter()
        for _ in range(int(new)):
            proposals = ahead.logits[0, -1].float().softmax(-1)
            own = judge.logits[0, -1].float().softmax(-1)
            token = torch.multinomial(proposals, 1)
            if own[token] < 0.01:
                token = torch.multinomial(own, 1)
            ahead = teacher(token[None], past_key_values=ahead.past_key_values, use_cache=True)
            judge = student(token[None], past_key_values=judge.past_key_values, use_cache=True)
        seconds = time.perf_counter() - start
    print(json.dumps({"rsd_tokens_per_second": int(new) / seconds}))


main()
