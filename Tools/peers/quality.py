"""What quantised products cost: next-token distributions beside those of the same weights in float32.

usage: quality.py RSD_EVALUATE MODEL.gguf PROBLEMS.jsonl [--problems 14]

Reads texts ("problem" and "solution") with transformers in float32, with llama.cpp and with ours, and
prints for the latter two how much higher the perplexity is and how many of the most likely tokens are
the same; for llama.cpp also the mean KL divergence, which for ours StoredQualityTests measures on the
same texts (RSD_QUALITY_PROBLEMS=14).
"""

import argparse
import ctypes
import json
import os
import subprocess
import tempfile

import llama_cpp as llama
import numpy
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def log_softmax(logits):
    logits = logits.astype(numpy.float64)
    logits -= logits.max(1, keepdims=True)
    return logits - numpy.log(numpy.exp(logits).sum(1, keepdims=True))


class Peer:
    """llama.cpp, one text at a time."""

    def __init__(self, path):
        self.quiet = llama.llama_log_callback(lambda *_: None)
        llama.llama_log_set(self.quiet, ctypes.c_void_p(0))
        llama.llama_backend_init()
        self.model = llama.llama_model_load_from_file(
            path.encode(), llama.llama_model_default_params())
        self.size = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self.model))

    def log_probabilities(self, ids):
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = max(512, len(ids))
        context = llama.llama_init_from_model(self.model, parameters)
        batch = llama.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for index, token in enumerate(ids):
            batch.token[index], batch.pos[index] = token, index
            batch.n_seq_id[index], batch.seq_id[index][0], batch.logits[index] = 1, 0, True
        if llama.llama_decode(context, batch) != 0:
            raise SystemExit("llama_decode failed")
        rows = [numpy.ctypeslib.as_array(llama.llama_get_logits_ith(context, index), (self.size,))
                for index in range(len(ids))]
        result = log_softmax(numpy.stack(rows))
        llama.llama_batch_free(batch)
        llama.llama_free(context)
        return result


def ours(program, path, texts):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps({"ids": ids}) + "\n" for ids in texts)
        file.flush()
        output = subprocess.run([program, "logprobs", "--model", path, "--input", file.name],
                                check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in output.splitlines()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("problems_file")
    parser.add_argument("--problems", type=int, default=14)
    arguments = parser.parse_args()
    folder, name = os.path.split(os.path.abspath(arguments.model))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    with open(arguments.problems_file) as file:
        records = [json.loads(line) for _, line in zip(range(arguments.problems), file)]
    texts = [tokenizer.encode(f"{r['problem']}\n{r['solution']}", add_special_tokens=False)
             for r in records]

    exact = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    peer = Peer(arguments.model)
    found = ours(arguments.program, arguments.model, texts)
    divergence, positions, same, loss = 0, 0, {"llama.cpp": 0, "ours": 0}, {"llama.cpp": 0, "ours": 0}
    for ids, own in zip(texts, found):
        with torch.inference_mode():
            p = log_softmax(exact(torch.tensor([ids])).logits[0].numpy())
        q = peer.log_probabilities(ids)
        size = min(p.shape[1], q.shape[1])
        p, q = p[:, :size], q[:, :size]
        divergence += (numpy.exp(p) * (p - q)).sum()
        positions += len(ids)
        next_rows, next_ids = range(len(ids) - 1), ids[1:]
        target = p[next_rows, next_ids].sum()
        loss["llama.cpp"] += target - q[next_rows, next_ids].sum()
        loss["ours"] += target - sum(own["logprobs"])
        best = p.argmax(1)
        same["llama.cpp"] += (best == q.argmax(1)).sum()
        # Ours leaves out the last position where nothing follows it.
        same["ours"] += (best[:len(own["argmax"])] == own["argmax"]).sum()
    targets = positions - len(texts)
    print(f"{name}: {positions} positions of {len(texts)} texts, beside transformers in float32")
    for who in loss:
        count = positions if who == "llama.cpp" else sum(len(own["argmax"]) for own in found)
        print(f"{who:10} perplexity {numpy.expm1(loss[who] / targets):+.3%}, same most likely token "
              f"{same[who] / count:.2%}")
    print(f"llama.cpp  mean KL {divergence / positions:.6f}")


main()
