"""Prompt and decode speed of llama.cpp through its C interface, as one JSON object.

usage: llamacpp.py MODEL.gguf THREADS BATCH PROMPT_TOKENS NEW_TOKENS
"""

import ctypes
import json
import random
import sys
import time

import llama_cpp as llama


def main():
    path = sys.argv[1]
    threads, sequences, prompt, new = map(int, sys.argv[2:6])
    quiet = llama.llama_log_callback(lambda *_: None)
    llama.llama_log_set(quiet, ctypes.c_void_p(0))
    llama.llama_backend_init()
    model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())

    parameters = llama.llama_context_default_params()
    parameters.n_ctx = sequences * (prompt + new + 8)
    parameters.n_batch, parameters.n_ubatch = 2048, 512
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.n_seq_max = sequences
    context = llama.llama_init_from_model(model, parameters)
    draw = random.Random(0)

    def decode(places):
        """Reads one token for each (sequence, position, whether its logits are wanted)."""
        batch = llama.llama_batch_init(len(places), 0, 1)
        batch.n_tokens = len(places)
        for index, (sequence, position, wanted) in enumerate(places):
            batch.token[index] = draw.randrange(1000, 20000)
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = wanted
        if llama.llama_decode(context, batch) != 0:
            sys.exit("llama_decode failed")
        llama.llama_get_logits_ith(context, len(places) - 1)
        llama.llama_batch_free(batch)

    start = time.perf_counter()
    for sequence in range(sequences):
        decode([(sequence, at, at == prompt - 1) for at in range(prompt)])
    read = time.perf_counter() - start
    steps = []
    for step in range(new):
        start = time.perf_counter()
        decode([(sequence, prompt + step, True) for sequence in range(sequences)])
        steps.append(time.perf_counter() - start)
    print(json.dumps({
        "prompt_tokens_per_second": prompt * sequences / read,
        "decode_tokens_per_second": sequences / sorted(steps)[len(steps) // 2],
    }))


main()
