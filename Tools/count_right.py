"""Scores of an experiment with some answers counted as right that the grader did not understand.

    python3 Tools/count_right.py qwen-gsm8k OTHER
    RSD_RESULTS=OTHER rsd-evaluate report experiments/qwen-gsm8k.yaml --from-scores

The answers are those of results/NAME/misread.tsv, read by hand: arm, seed, question, sample. What is
written is OTHER/NAME, a copy of results/NAME without runs; results stays as it is.
"""

import collections
import json
import pathlib
import shutil
import sys

name, other = sys.argv[1:]
source = pathlib.Path(__file__).parent.parent / "results" / name
target = pathlib.Path(other) / name
shutil.copytree(source, target, ignore=shutil.ignore_patterns("runs"))

more = collections.Counter()
for line in (source / "misread.tsv").read_text().splitlines()[1:]:
    arm, seed, question, _ = line.split("\t")
    more[arm, int(seed), question] += 1

questions = {}
lines = []
for line in (source / "scores.jsonl").read_text().splitlines():
    record = json.loads(line)
    if "questions" in record:
        questions[record["benchmark"]] = record["questions"]
    else:
        record.pop("majority", None)
        for index, question in enumerate(questions[record["benchmark"]]):
            record["correct"][index] += more.pop((record["arm"], record["seed"], question), 0)
            if record["correct"][index] > record["samples"]:
                sys.exit(f"{question}: more right answers than samples")
    lines.append(json.dumps(record) + "\n")
if more:
    sys.exit(f"misread.tsv: no such scores: {', '.join(map(str, more))}")
(target / "scores.jsonl").write_text("".join(lines))
