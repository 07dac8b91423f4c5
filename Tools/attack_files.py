"""Writes files that are known to harm readers, and gives each to the program that reads its kind.

    python3 Tools/attack_files.py [--bin .build/release] [--keep DIR] [--record FILE]

Each must be refused with its exit code and one message that names the file, within 10 s of the
processor and with memory of at most 4 times the file and 128 MiB; those marked 0 must be read. The
attacks are those of the formats' own lists (safetensors, ggml's advisories, HDF5 and Keras
advisories) and of YAML, JSON and CSV. --record as in Tools/reliability.py. Exits 1 after faults.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

import reliability
import tiny_model

MOST_SECONDS, FREE_MEMORY = 10, 128 << 20
PROBLEM = {"id": "a", "problem": "one?", "answer": "1"}


def line(**changes):
    return json.dumps({**PROBLEM, **changes}).encode() + b"\n"


def safetensors(change):
    """The tiny model's file with its header changed."""
    data = tiny_model.safetensors()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    changed = change(header)
    text = changed if isinstance(changed, bytes) else json.dumps(header).encode()
    return tiny_model.framed(text, data[8 + length:])


def tensor(key, value):
    def change(header):
        header["model.norm.weight"][key] = value

    return change


def repeated(header):
    text = json.dumps(header)
    return (text[:-1] + "," + text[1:]).encode()


def shifted(header):
    for entry in list(header.values())[3:]:
        entry["data_offsets"] = [offset + 4 for offset in entry["data_offsets"]]


SAFETENSORS = {
    "header of 2^63 bytes": struct.pack("<Q", 1 << 63) + b"{}",
    "header longer than the file": struct.pack("<Q", 10**8) + b"{}",
    "header of 0 bytes": bytes(8),
    "7 bytes": bytes(7),
    "header that is no JSON": tiny_model.framed(b"{not json}", b""),
    "header 100,000 lists deep": tiny_model.framed(b"[" * 100_000, b""),
    "every name twice": lambda: safetensors(repeated),
    "a hole": lambda: safetensors(shifted),
    "overlapping tensors": lambda: safetensors(tensor("data_offsets", [0, 32])),
    "shape that wraps": lambda: safetensors(tensor("shape", [1 << 32, 1 << 32])),
    "shape of another size": lambda: safetensors(tensor("shape", [9])),
    "negative axis": lambda: safetensors(tensor("shape", [-8])),
    "unknown type": lambda: safetensors(tensor("dtype", "F8_X")),
    "cut short": lambda: tiny_model.safetensors()[:-1],
    "a byte too many": lambda: tiny_model.safetensors() + b"\0",
    "not a number among the weights": lambda: tiny_model.safetensors()[:-4] + b"\0\0\xc0\x7f",
}


def config(**changes):
    return lambda: json.dumps({**tiny_model.configuration(), **changes}).encode()


CONFIG = {
    "16,777,216 layers": config(num_hidden_layers=1 << 24),
    "16,777,216 heads": config(num_attention_heads=1 << 24),
    "sizes that multiply beyond 2^63": config(vocab_size=1 << 40, hidden_size=1 << 40),
    "width 0": config(hidden_size=0),
    "negative layers": config(num_hidden_layers=-1),
    "rope base -1": config(rope_theta=-1),
    "rope base 0": config(rope_theta=0),
    "negative epsilon": config(rms_norm_eps=-1),
    "epsilon beyond any number": lambda: json.dumps(tiny_model.configuration()).replace(
        "1e-06", "1e999").encode(),
    "another architecture": config(model_type="mamba"),
    "100,000 lists": b"[" * 100_000,
    "empty": b"",
    "UTF-16": json.dumps(tiny_model.configuration()).encode("utf-16"),
    "a list": b"[]",
}


def tokenizer(change):
    def make():
        json_ = tiny_model.tokenizer()
        change(json_)
        return json.dumps(json_).encode()

    return make


TOKENIZER = {
    "an id of 2^40": tokenizer(lambda t: t["model"]["vocab"].update(zz=1 << 40)),
    "one id twice": tokenizer(lambda t: t["model"]["vocab"].update(zz=5)),
    "a negative id": tokenizer(lambda t: t["model"]["vocab"].update(zz=-1)),
    "an empty special token": tokenizer(lambda t: t["added_tokens"][0].update(content="")),
    "a merge of unknown words": tokenizer(lambda t: t["model"].update(merges=["xx yy"])),
    "WordPiece": tokenizer(lambda t: t["model"].update(type="WordPiece")),
    "no model": tokenizer(lambda t: t.pop("model")),
}


def gguf(*, version=3, tensors=0, values=0, rest=b""):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, values) + rest


def text(value):
    return struct.pack("<Q", len(value)) + value


GGUF = {
    "magic only": b"GGUF",
    "2^60 tensors": gguf(tensors=1 << 60),
    "2^60 values": gguf(values=1 << 60),
    "key of 2^64 - 1 bytes": gguf(values=1, rest=struct.pack("<Q", (1 << 64) - 1) + bytes(16)),
    "text of 2^63 bytes": gguf(values=1, rest=text(b"a") + struct.pack("<IQ", 8, 1 << 63) + b"x"),
    "list whose size wraps": gguf(
        values=1, rest=text(b"a") + struct.pack("<IIQ", 9, 10, (1 << 61) + 1) + bytes(64)),
    "list of lists": gguf(values=1, rest=text(b"a") + struct.pack("<IIQ", 9, 9, 1) + bytes(64)),
    "big-endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "axes that wrap": gguf(
        tensors=1, rest=text(b"t") + struct.pack("<IQQIQ", 2, 1 << 33, 1 << 33, 0, 0) + bytes(64)),
    "nothing in it": gguf(),
}
RECORDS = {
    "not a number": (65, b'{"id":"a","problem":"x","answer":NaN}\n'),
    "bytes that are no UTF-8": (65, b'{"id":"a","problem":"\xff","answer":"1"}\n'),
    "a lone surrogate, warned of or refused": ((0, 65), b'{"id":"a","problem":"\\ud800","answer":"1"}\n'),
    "one id twice": (65, line() + line()),
    "no answer": (65, b'{"id":"a","problem":"x"}\n'),
    "torn last line": (65, line() + b'{"id":"b","prob'),
    "empty": (65, b""),
    "100,000 lists": (65, b"[" * 100_000 + b"\n"),
    "UTF-16": (65, line().decode().encode("utf-16")),
    "byte-order mark": (0, b"\xef\xbb\xbf" + line()),
    "lines end in CR LF": (0, line().replace(b"\n", b"\r\n")),
    "a line of 2 MB": (0, line(problem="one " * (1 << 19))),
    "a line of 12 MB": (0, line(problem=" ".join(f"{i:x}" for i in range(1 << 17, 1_980_000)))),
    "a line of 12 MB, a letter a word": (0, lambda: line(problem=" ".join(
        random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=5_980_000)))),
    "a line of 32 MB": (65, line(problem="one " * (8 << 20))),
}
EXPERIMENT = """\
name: x
models: {student: {path: model}}
benchmarks: [{name: b, chain: {count: 2, operations: [2]}}]
arms: {base: {kind: base}}
"""


def laughs():
    names = ["x"] + [f"*a{i}" for i in range(9)]
    return "".join(
        f"a{i}: &a{i} [{','.join([names[i]] * 10)}]\n" for i in range(10)
    ).encode()


def grid():
    values = [f"    evaluation.k{i}: [{','.join(map(str, range(1, 11)))}]\n" for i in range(8)]
    return (EXPERIMENT + "grid:\n  g:\n" + "".join(values)).encode()


YAML = {
    "aliases of aliases": laughs(),
    "a grid of 10^8": grid(),
    "100,000 unknown keys": (EXPERIMENT + "".join(f"k{i}: 1\n" for i in range(100_000))).encode(),
    "100,000 seeds": (EXPERIMENT + f"seeds: {list(range(1, 100_001))}\n").encode(),
    "no seeds": (EXPERIMENT + "seeds: []\n").encode(),
    "one key twice": (EXPERIMENT + "name: y\n").encode(),
    "an alias of itself": b"name: &a [*a]\n",
    "tabs for indentation": EXPERIMENT.replace("arms: {base: {kind: base}}", "arms:\n\tbase: {kind: base}").encode(),
    "100,000 lists": b"name: " + b"[" * 100_000,
    "no map": b"- 1\n",
    "bytes that are no UTF-8": b"name: \xff\n",
}
CSV = {
    "an open quote": b'Question,Correct Answer\n"a,b\n',
    "a column too few": b"Question,Correct Answer\na,b\n",
    "a field too many": b"Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,"
                        b"Incorrect Answer 3\n1,2,3,4,5,6\n",
    "empty": b"",
}


def model(part):
    """Puts a file into the tiny model's folder, and scores with it."""
    def place(folder, data):
        tiny_model.write(folder / "model")
        (folder / "model" / part).write_bytes(data)
        return ["rsd-evaluate", "logprobs", "--model", "model", "--input", "ids.jsonl"]

    return place


def file(name, *command):
    def place(folder, data):
        (folder / name).write_bytes(data)
        return [word.format(name) for word in command]

    return place


LOGPROBS = ["rsd-evaluate", "logprobs", "--input", "ids.jsonl", "--model", "{}"]
AGAINST = ["rsd-generate", "contamination", "{}", "--against", "{}"]


def attacks():
    """Name, how it is placed, the bytes, the exit code."""
    for kind, place, files, code in [
        ("safetensors", model("model.safetensors"), SAFETENSORS, 65),
        ("config.json", model("config.json"), CONFIG, 65),
        ("tokenizer.json", model("tokenizer.json"), TOKENIZER, 65),
        ("GGUF", file("model.gguf", *LOGPROBS), GGUF, 65),
        ("YAML", file("x.yaml", "rsd-evaluate", "run", "{}", "--dry-run"), YAML, 78),
        ("CSV", file("x.csv", *AGAINST), CSV, 65),
    ]:
        for name, data in files.items():
            yield f"{kind}: {name}", place, data() if callable(data) else data, code
    # `run` reads problems strictly, `contamination` traces too.
    for name, (code, data) in RECORDS.items():
        yield f"JSON Lines: {name}", problems, data() if callable(data) else data, code


def problems(folder, data):
    (folder / "problems.jsonl").write_bytes(data)
    if len(data) > 1 << 20:
        # Nobody waits for a model that reads megabytes.
        return [word.format("problems.jsonl") for word in AGAINST]
    (folder / "p.yaml").write_text(EXPERIMENT.replace(
        "chain: {count: 2, operations: [2]}", "path: problems.jsonl"))
    tiny_model.write(folder / "model")
    return ["rsd-evaluate", "run", "p.yaml", "--limit", "1"]


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))


def tried(programs, folder, name, place, data, code):
    """What is wrong with how one file is treated; None when nothing is."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "ids.jsonl").write_text('{"ids":[1,2,3]}\n')
    words = place(folder, data)
    process = subprocess.Popen(
        [programs / words[0], *words[1:]], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("wb"), preexec_fn=limit,
    )
    _, status, usage = os.wait4(process.pid, 0)
    found = os.waitstatus_to_exitcode(status)
    said = (folder / "stderr").read_bytes().decode(errors="replace")
    memory = usage.ru_maxrss * 1024
    if found not in (code if isinstance(code, tuple) else (code,)):
        return f"exit code {found}, expected {code}: {said.strip()[-160:]}"
    if memory > FREE_MEMORY + 4 * len(data):
        return f"{memory >> 20} MiB of memory for {len(data):,} bytes"
    places = ("model", "x.yaml", "x.csv", "problems.jsonl")
    if found and not ("Error: " in said and any(place in said for place in places)):
        return f"no file is named: {said.strip()[:160]}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--keep")
    parser.add_argument("--record")
    options = parser.parse_args()
    programs = pathlib.Path(options.bin).resolve()
    count, bad = 0, []
    with tempfile.TemporaryDirectory() as name:
        for attack, place, data, code in attacks():
            count += 1
            if options.keep:
                kept = pathlib.Path(options.keep)
                kept.mkdir(parents=True, exist_ok=True)
                (kept / "".join(c if c.isalnum() else "-" for c in attack)).write_bytes(data)
            what = tried(programs, pathlib.Path(name) / "run", attack, place, data, code)
            if what:
                bad.append(f"{attack}: {what}")
    found = reliability.record(
        options.record, attack="named attack files", tried=count, unit="files", faults=len(bad),
        outcomes={"as they should be": count - len(bad)}, found=bad,
        command="python3 Tools/attack_files.py",
    )
    print("{attack}: {faults} faults of {tried}".format(**found))
    for what in bad:
        print("    " + what.replace("\n", " "))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
