"""Runs a whole experiment whose names and texts are hostile, and looks through all that it writes.

    python3 Tools/hostile_text.py [--bin .build/release] [--record FILE]

Ids, problems, answers, the description, a model's source and the benchmark's name hold markup, line
breaks, terminal escapes, spreadsheet formulas, LaTeX commands, bidirectional overrides and quotes.
Searched are: what the commands print (no control characters), report.html (no element or attribute
that the report does not make itself), *.svg (well-formed, no script), *.csv (no field that a
spreadsheet takes for a formula, as many fields in every row), table.md (no markup, no rows torn),
table.tex (no live command), *.jsonl and *.json (parse again). Then the same 5,000 problems as
training data and as benchmark: no quadratic time. --record as in Tools/reliability.py.
"""

import argparse
import csv
import html.parser
import io
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import reliability
import tiny_model

ODD = [
    "<script>alert(1)</script>", "</style><img src=x onerror=alert(1)>", "\"onload=\"alert(1)",
    "'><svg/onload=alert(1)>", "</script><b>", "{{{x}}}", "<!--", "]]>", "&lt;b&gt;",
    "=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "a,b\"c", "a;b", "a|b",
    "a\nb", "a\r\nb", "`x`", "[x](javascript:alert(1))", "![x](http://x/y.png)", "# x", "***",
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b31m", "\x00", "\x08\x08", "\u202egpj.exe",
    "\u2066x\u2069", "\u2028", "\u2029", "\ufeff", "e\u0301" * 20, "\\input{/etc/passwd}",
    "\\write18{id}", "$x^2$", "%", "~^_&#{}", "${HOME}", "$(id)", "`id`", "../../../etc/passwd",
    "/dev/null", "a/b", "CON", ".", "..", "\u0130", "\U0001f468\u200d\U0001f469", "x" * 3000,
]
EXPERIMENT = {
    "name": "hostile",
    "description": " ".join(ODD[:50]),
    "seeds": [1],
    "models": {"student": {"path": "model", "source": ODD[0]}, "teacher": {"path": "model"}},
    "problems": {"path": "problems.jsonl"},
    "benchmarks": [{"name": "one", "path": "problems.jsonl"}],
    "template": {"preset": "plain", "endOfTurn": "<|im_end|>"},
    "generation": {"tries": 2, "maxNewTokens": 40, "maxTotalTokens": 8000},
    "selection": {"requireCorrect": False, "requireEndOfTurn": False, "maxFallbackRate": 1},
    "training": {"epochs": 1, "batch": 4, "maxLength": 8000},
    "evaluation": {"samples": 1, "maxNewTokens": 10},
    "arms": {
        "base": {"kind": "base"}, "rsd": {"kind": "rsd"},
        "direct": {"kind": "direct", "traces": {"problems": "solution"}},
    },
}
COMMANDS = ["rsd-generate run", "rsd-train run", "rsd-evaluate run", "rsd-generate analyse",
            "rsd-evaluate report"]
AGAINST = ["problems.jsonl", "--against", "problems.jsonl"]
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


class Page(html.parser.HTMLParser):
    """Collects what a browser would run or load."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []

    def handle_starttag(self, tag, attributes):
        if tag in ("iframe", "object", "embed", "link", "base", "form", "img"):
            self.found.append(f"<{tag}>")
        for name, value in attributes:
            if name.startswith("on") or (
                re.match(r"\s*(javascript|data|https?):", value or "", re.I) and name != "xmlns"
            ):
                self.found.append(f"{tag} {name}={value}"[:80])


def program(options, name, folder, *arguments):
    return subprocess.run(
        [pathlib.Path(options.bin).resolve() / name, *arguments], cwd=folder, capture_output=True
    )


def is_number(text):
    try:
        return bool(text.strip()) and float(text) is not None
    except ValueError:
        return False


def looked_at(path):
    """The faults of one file."""
    text = path.read_bytes().decode("utf-8", errors="strict")
    if path.suffix == ".html":
        page = Page()
        page.feed(text)
        # The report's own script, if it has one, says nothing of ours.
        return page.found + [f"alert in {tag}" for tag in re.findall(
            r"<(?:script|style)[^>]*>[^<]*alert\(1\)", text)]
    if path.suffix == ".svg":
        root = xml.etree.ElementTree.fromstring(text)
        return [str(node.tag) for node in root.iter() if str(node.tag).endswith("script")]
    if path.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(text, newline="")))
        bad = [f"row of {len(row)} fields" for row in rows if len(row) != len(rows[0])]
        for row in rows:
            bad += [
                f"formula {field[:30]!r}" for field in row
                if re.match(r"\s*[=+@-]", field) and not is_number(field)
            ]
        # Carriage returns inside quotes are data, which readers of CSV keep.
        return bad + [f"control {c!r}" for c in CONTROL.findall(text.replace("\r", ""))]
    if path.suffix == ".md":
        bad = re.findall(r"(?<!\\)<(?:script|img|svg|b>)", text)
        bad += re.findall(r"(?<!\\)\]\(javascript:", text)
        return bad + [f"control {c!r}" for c in CONTROL.findall(text)]
    if path.suffix == ".tex":
        return re.findall(r"\\(?:input|write18)(?![a-z])", text)
    if path.suffix == ".jsonl":
        for line in text.split("\n"):
            if line:
                json.loads(line)
    elif path.suffix == ".json":
        json.loads(text)
    return []


def hostile(options, folder):
    tiny_model.write(folder / "model")
    texts = [odd for odd in ODD if is_read(options, folder, odd)]
    write(folder / "problems.jsonl", [record(odd) for odd in texts])
    (folder / "hostile.yaml").write_text(json.dumps(EXPERIMENT))
    bad, looked = [], 0
    for command in COMMANDS + ["rsd-generate contamination"]:
        name, verb = command.split()
        arguments = AGAINST if verb == "contamination" else ["hostile.yaml"]
        result = program(options, name, folder, verb, *arguments)
        if result.returncode != 0:
            bad.append(f"{command}: exit code {result.returncode}: {result.stderr[-200:]!r}")
        for stream in (result.stdout, result.stderr):
            looked += 1
            text = stream.decode("utf-8", errors="surrogateescape")
            bad += [f"{command} prints {c!r}" for c in sorted(set(CONTROL.findall(text)))]
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in {
            ".html", ".svg", ".csv", ".md", ".tex", ".json", ".jsonl"
        } and path.name != "problems.jsonl":
            looked += 1
            try:
                bad += [f"{path.name}: {what}" for what in looked_at(path)]
            except (ValueError, xml.etree.ElementTree.ParseError) as error:
                bad.append(f"{path.name}: {error}")
    return len(texts), looked, bad


def record(odd):
    # A number behind it: some texts are blank, and blank answers are refused.
    return {"id": odd, "problem": f"{odd} one?", "answer": f"{odd}7", "solution": f"so \\boxed{{{odd}}}"}


def is_read(options, folder, odd):
    """Whether a text may be an id; some are refused, which is as good."""
    write(folder / "problems.jsonl", [record(odd)])
    result = program(options, "rsd-generate", folder, "contamination", *AGAINST)
    return result.returncode == 0


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def equal_problems(options, folder, count):
    """Seconds and bytes of `contamination` on problems that are equal, equal but for their number, or
    near those of another file, each of them to all."""
    words = "A train leaves the station at noon and drives for three hours at sixty miles an hour"
    long = [f"word{i}" for i in range(100)]
    long = " ".join(long[:50]) + " {} " + " ".join(long[50:])
    figures = {}
    for name, text, other in [
        ("equal", lambda i: words, ""), ("alike", lambda i: f"{words} {i} times", ""),
        ("near", long.format, "so "),
    ]:
        for file, begin in [("problems", ""), ("others", other)]:
            write(folder / f"{file}.jsonl", [
                {"id": str(i), "problem": begin + text(i), "answer": "180"} for i in range(count)
            ])
        begun = time.monotonic()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = program(options, "rsd-generate", folder, "contamination", "others.jsonl",
                         "--against", "problems.jsonl")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        figures[name] = {
            "seconds": round(time.monotonic() - begun, 2),
            "processor_seconds": round(after.ru_utime - before.ru_utime, 2),
            "peak_mib": round(after.ru_maxrss / 1024), "exit_code": result.returncode,
        }
    (folder / "others.jsonl").unlink()
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=".build/release")
    parser.add_argument("--record")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        many = equal_problems(options, folder, 5000)
        read, looked, bad = hostile(options, folder)
    command = "python3 Tools/hostile_text.py"
    slow = [f for f in many.values()
            if f["processor_seconds"] > 10 or f["exit_code"] != 0]
    most = max(f["processor_seconds"] for f in many.values())
    lines = [
        dict(attack="5,000 equal or nearly equal problems against as many", tried=len(many),
             unit="files", faults=len(slow), outcomes={"read": len(many) - len(slow)},
             command=command,
             slowest_ms=round(1000 * most),
             most_memory_mib=max(f["peak_mib"] for f in many.values())),
        dict(attack=f"{len(ODD)} hostile texts through a whole run", tried=looked,
             unit="outputs", faults=len(bad), outcomes={"texts read": read, "texts refused": len(ODD) - read},
             command=command, found=bad[:40]),
    ]
    for line in lines:
        reliability.record(options.record, **line)
        print(f"{line['attack']}: {line['faults']} faults of {line['tried']} {line['unit']}")
    print(json.dumps(many))
    for what in bad:
        print("    " + what)
    sys.exit(1 if bad or slow else 0)


if __name__ == "__main__":
    main()
