"""The figures of docs/reliability.md: tools record them, and this writes the page's table from them.

    python3 Tools/reliability.py

Records are lines of JSON in docs/reliability/*.jsonl, one a run of a tool, in the order of the runs.
Of each attack the table shows the last record, and what the first one found.
"""

import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reliability.md"
RECORDS = ROOT / "docs/reliability"
BEGIN, END = "<!-- made by Tools/reliability.py -->", "<!-- end -->"


def commit():
    """The commit of the tree, with -dirty where it was changed; RSD_COMMIT where the programs are of
    another one."""
    if "RSD_COMMIT" in os.environ:
        return os.environ["RSD_COMMIT"]
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT
    )
    return found.stdout.strip()


def machine():
    """The processor and how many of its cores this process may use."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    facts = dict(re.findall(r"^(\S[^\t:]*)\t*: (.*)$", text, re.M))
    name = facts.get("model name", "unknown").strip()
    number = f"family {facts.get('cpu family', '?')} model {facts.get('model', '?')}"
    return f"{name} ({number}), {len(os.sched_getaffinity(0))} cores"


def record(path, *, attack, tried, unit, faults, outcomes, command, **more):
    """Appends a run to a file of records; `path` None records nothing.

    attack: what was done, the key of the table. tried, unit: 1000, "bit flips". faults: how many of
    them ended as they should not. outcomes: counts by name. command: repeats the run.
    """
    line = dict(
        attack=attack, tried=tried, unit=unit, faults=faults, outcomes=outcomes, command=command,
        commit=commit(), machine=machine(), **more,
    )
    if path:
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return line


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def row(first, last):
    outcomes = ", ".join(f"{value:,} {name}" for name, value in last["outcomes"].items() if value)
    limits = []
    if last.get("slowest_ms"):
        limits.append(f"slowest {last['slowest_ms']:,} ms")
    if last.get("most_memory_mib"):
        limits.append(f"most memory {last['most_memory_mib']:,} MiB")
    found = "–"
    if first is not last:
        found = f"{first['faults']:,} of {first['tried']:,} ({first['commit']})"
    return [
        last["attack"], f"{last['tried']:,} {last['unit']}",
        "; ".join([outcomes, *limits]), found, f"{last['faults']:,} ({last['commit']})",
        f"`{last['command']}`",
    ]


def table():
    lines = []
    for path in sorted(RECORDS.glob("*.jsonl")):
        lines += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    attacks = {}
    for line in lines:
        attacks.setdefault(line["attack"], []).append(line)
    out = [
        "| What was done | How often | What happened | Faults at first | Faults now | Repeats it |",
        "|---|---|---|---|---|---|",
    ]
    for runs in attacks.values():
        # A short run after a long one proves nothing new.
        most = max(run["tried"] for run in runs)
        last = [run for run in runs if run["tried"] * 2 >= most][-1]
        out.append("| " + " | ".join(map(cell, row(runs[0], last))) + " |")
    machines = sorted({line["machine"] for line in lines})
    return "\n".join(out + ["", "Measured on: " + "; ".join(machines) + "."])


def main():
    page = PAGE.read_text(encoding="utf-8")
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text(f"{page[:start]}\n\n{table()}\n\n{page[end:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
