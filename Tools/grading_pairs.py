#!/usr/bin/env python3
"""Makes labelled pairs of answers and compares graders on them.

    make      FOLDER OUT.tsv   writes pairs from the reference answers in FOLDER (math500.jsonl,
                               math_train.jsonl, gsm8k_test.jsonl): gold, prediction, label, kind
    peer      PAIRS.tsv        adds what Math-Verify says, as a fifth column
    compare   PAIRS.tsv RSD    grades with RSD (the rsd-evaluate program) and prints agreement

Every label holds by construction: a rewrite that keeps the value is "=", one that changes it "!".
Pinned: math-verify 0.9.0 with latex2sympy2_extended 1.11.0, sympy 1.14.0.
"""
import json
import random
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

INTEGER = re.compile(r"^-?\d+$")
DECIMAL = re.compile(r"^-?\d*\.\d+$")
FRACTION = re.compile(r"^(-?)\\[dt]?frac\{(\d+)\}\{(\d+)\}$")
DEGREES = re.compile(r"^(-?\d+(?:\.\d+)?)\^\{?\\circ\}?$")
TUPLE = re.compile(r"^(?:\\left)?\((.+?)(?:\\right)?\)$")
INTERVAL = re.compile(r"^(?:\\left)?([\[(])([^,()\[\]]+),([^,()\[\]]+?)(?:\\right)?([\])])$")
LIST = re.compile(r"^-?[\d/\\{}a-z+]+(?:, ?-?[\d/\\{}a-z+]+)+$")
TEXT = re.compile(r"^\\text\{([A-Za-z ]{2,})\}$")
MATRIX = re.compile(r"^\\begin\{pmatrix\}(.*)\\end\{pmatrix\}$", re.S)
MONEY = re.compile(r"^\\\$(\d+(?:\.\d+)?)$")
RADICAL = re.compile(r"^(-?\d*)\\sqrt\{(\d+)\}$")
POLYNOMIAL = re.compile(r"^[a-z0-9+\-^{} ]*[a-z][a-z0-9+\-^{} ]*$")


def latex_fraction(value, command="\\frac"):
    sign = "-" if value < 0 else ""
    return f"{sign}{command}{{{abs(value.numerator)}}}{{{value.denominator}}}"


def decimal_text(value):
    """The finite decimal of a fraction, or None."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1 or value.denominator > 10**5:
        return None
    text = f"{float(value):.10f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def integers(text, rng):
    n = int(text)
    grouped = f"{n:,}"
    k = rng.randint(2, 9)
    same = [f"{n}.0", f"${n}$", f"\\({n}\\)", f"{n}.", f"\\boxed{{{n}}}", f"\\text{{{n}}}",
            f"\\frac{{{k * n}}}{{{k}}}", f"{n + k}-{k}" if n + k >= 0 else f"{n - k}+{k}",
            f"x = {n}", f"{n} \\text{{ units}}", f"\\mathbf{{{n}}}", f"{n}.00",
            f"the answer is {n}", f"\\left({n}\\right)"]
    if abs(n) >= 1000:
        same += [grouped, grouped.replace(",", ",\\!"), grouped.replace(",", "{,}"),
                 grouped.replace(",", "\\,"), grouped.replace(",", " ")] * 3
    if n > 0:
        same += [f"\\sqrt{{{n * n}}}", f"{n}^1", f"{100 * n}\\%"]
    other = [n + 1, n - 1, n * 10 or 10, -n if n else 7, f"{n}.5", f"\\frac{{{n - 1}}}{{{n + 2 or 3}}}",
             f"\\frac{{{k * n + 1}}}{{{k}}}"]
    if n > 1:
        other += [f"\\sqrt{{{n}}}", f"{n},{n + 1}"]
    return same, [str(o) for o in other]


def fractions(match, rng):
    value = Fraction(int(match[1] + match[2]), int(match[3]))
    k = rng.randint(2, 7)
    n, d = value.numerator, value.denominator
    same = [latex_fraction(value, "\\dfrac"), latex_fraction(value, "\\tfrac"), f"{n}/{d}",
            f"\\frac{{{k * n}}}{{{k * d}}}", f"$\\frac{{{n}}}{{{d}}}$", f"({n})/({d})",
            f"\\left(\\frac{{{n}}}{{{d}}}\\right)", f"x = \\frac{{{n}}}{{{d}}}",
            f"{n} \\div {d}", f"\\frac{{{-n}}}{{{-d}}}"]
    if 0 < n < 10 and d < 10:
        same += [f"\\frac{n}{d}", f"\\frac {n} {d}"]
    if (text := decimal_text(value)) is not None:
        same += [text, text]
        if (percent := decimal_text(value * 100)) is not None:
            same.append(percent + "\\%")
    if n > d > 1:
        same += [f"{n // d}\\frac{{{n % d}}}{{{d}}}", f"{n // d} {n % d}/{d}"]
    other = [latex_fraction(value + Fraction(1, d)), latex_fraction(-value),
             f"\\frac{{{n}}}{{{d + 1}}}", f"\\frac{{{n + 1}}}{{{d}}}"]
    if abs(n) != d and n:
        other.append(latex_fraction(1 / value))
    return same, other


def degrees(match, _):
    n = match[1]
    other = str(int(float(n)) + 1)
    return ([n, f"{n}°", f"{n}^{{\\circ}}", f"{n} degrees", f"{n}\\text{{ degrees}}",
             f"{n} \\, ^\\circ", f"${n}^\\circ$"],
            [f"{other}^\\circ", other, f"-{n}^\\circ"])


def split(text):
    """Elements between commas outside brackets."""
    parts, depth, last = [], 0, 0
    for index, character in enumerate(text):
        depth += character in "({["
        depth -= character in ")}]"
        if character == "," and depth == 0:
            parts.append(text[last:index].strip())
            last = index + 1
    return parts + [text[last:].strip()]


def changed(element):
    return str(int(element) + 1) if INTEGER.match(element) else f"{element}+1"


def tuples(match, rng):
    parts = split(match[1])
    if not 2 <= len(parts) <= 5 or any(not part for part in parts):
        return [], []
    same = ["(" + ",".join(parts) + ")", "\\left( " + " , ".join(parts) + " \\right)",
            "$(" + ", ".join(parts) + ")$", "(" + ", ".join(parts).replace("\\frac", "\\dfrac") + ")",
            "(" + ", ".join(f"{p}.0" if INTEGER.match(p) else p for p in parts) + ")"]
    place = rng.randrange(len(parts))
    broken = parts[:]
    broken[place] = changed(broken[place])
    other = ["(" + ", ".join(broken) + ")", "(" + ", ".join(parts + ["0"]) + ")"]
    if parts[0] != parts[-1]:
        swapped = [parts[-1]] + parts[1:-1] + [parts[0]]
        other += ["(" + ", ".join(swapped) + ")"] * 2
    if len(parts) > 2:
        other.append("(" + ", ".join(parts[1:]) + ")")
    return same, other


def intervals(match, _):
    opening, low, high, closing = match[1], match[2].strip(), match[3].strip(), match[4]
    flipped = {"(": "[", "[": "(", ")": "]", "]": ")"}
    same = [f"\\left{opening}{low}, {high}\\right{closing}", f"{opening}{low},{high}{closing}",
            f"x \\in {opening}{low}, {high}{closing}"]
    if "infty" not in low + high:
        left = "\\le" if opening == "[" else "<"
        right = "\\le" if closing == "]" else "<"
        same.append(f"{low} {left} x {right} {high}")
    other = [f"{flipped[opening]}{low}, {high}{closing}", f"{opening}{low}, {high}{flipped[closing]}"]
    return same, other


def lists(text, rng):
    parts = split(text)
    if len(set(parts)) != len(parts) or "\\pm" in text or re.match(r"^\d{1,3}(,\d{3})+$", text):
        return [], []
    order = parts[:]
    rng.shuffle(order)
    same = [", ".join(order), ",".join(reversed(parts)), "\\{" + ", ".join(order) + "\\}",
            " \\text{ and } ".join(parts) if len(parts) == 2 else ",  ".join(parts),
            ", ".join(f"x = {part}" for part in parts)]
    broken = parts[:]
    broken[0] = changed(broken[0])
    return same, [", ".join(parts[1:]), ", ".join(broken), ", ".join(parts + ["1000"])]


def texts(match, _):
    word = match[1].strip()
    same = [word, word.lower(), f"\\textbf{{{word}}}", f"\\mathrm{{{word}}}", f"{word}.",
            f"\\boxed{{\\text{{{word}}}}}", f"\\mbox{{{word}}}"]
    return same, [f"\\text{{not {word}}}", "\\text{none}", f"{word}x"]


def matrices(match, _):
    rows = [[entry.strip() for entry in row.split("&")] for row in match[1].split("\\\\")]
    rows = [row for row in rows if any(row)]

    def written(rows, name, gap=" "):
        body = f"{gap}\\\\{gap}".join(f"{gap}&{gap}".join(row) for row in rows)
        return f"\\begin{{{name}}}{gap}{body}{gap}\\end{{{name}}}"

    halves = [[entry.replace("\\frac", "\\dfrac") for entry in row] for row in rows]
    broken = [row[:] for row in rows]
    broken[-1][-1] = changed(broken[-1][-1])
    same = [written(rows, "bmatrix"), written(rows, "pmatrix", ""), written(halves, "pmatrix")]
    other = [written(broken, "pmatrix")]
    if rows != rows[::-1]:
        other.append(written(rows[::-1], "pmatrix"))
    return same, other


def money(match, _):
    n = match[1]
    return ([n, f"${n}", f"\\${n}", f"{n} dollars", f"\\text{{\\${n}}}", f"{n}\\text{{ dollars}}"],
            [f"\\${float(n) + 1:g}", f"\\${n}5", f"-{n}"])


def radicals(match, _):
    factor = int(match[1] + "1") if match[1] in ("", "-") else int(match[1])
    n = int(match[2])
    sign = "-" if factor < 0 else ""
    same = [f"{match[1]}\\sqrt {n}" if n < 10 else f"{match[1]} \\sqrt{{{n}}}",
            f"{sign}\\sqrt{{{factor * factor * n}}}", f"{factor}*sqrt({n})",
            f"{factor} \\cdot {n}^{{1/2}}", f"{factor}√{n}" if n < 10 else f"{factor}√{{{n}}}",
            f"\\frac{{{factor * n}}}{{\\sqrt{{{n}}}}}"]
    other = [f"{factor + 1 or 3}\\sqrt{{{n}}}", f"{match[1]}\\sqrt{{{n + 1}}}",
             f"{-factor}\\sqrt{{{n}}}", str(factor * n)]
    return same, other


def polynomials(text, rng):
    import sympy
    from sympy.parsing.sympy_parser import parse_expr, standard_transformations
    from sympy.parsing.sympy_parser import implicit_multiplication, convert_xor

    plain = text.replace("{", "(").replace("}", ")")
    try:
        value = parse_expr(plain, transformations=standard_transformations
                           + (convert_xor, implicit_multiplication), evaluate=True)
    except Exception:
        return [], []
    if not isinstance(value, sympy.Expr) or len(value.free_symbols) not in (1, 2, 3):
        return [], []
    expanded = sympy.expand(value)
    terms = [sympy.latex(term) for term in sympy.Add.make_args(expanded)]
    rng.shuffle(terms)
    same = ["+".join(terms).replace("+-", "-"), sympy.latex(sympy.factor(value)),
            sympy.latex(expanded), str(expanded), f"y = {text}", text.replace(" ", "  ")]
    symbol = sorted(value.free_symbols, key=str)[0]
    other = [sympy.latex(expanded + 1), sympy.latex(sympy.expand(-value)),
             sympy.latex(sympy.expand(value + symbol)), sympy.latex(sympy.expand(2 * value))]
    return same, other


KINDS = [
    ("fraction", FRACTION, fractions), ("degrees", DEGREES, degrees), ("money", MONEY, money),
    ("interval", INTERVAL, intervals), ("tuple", TUPLE, tuples), ("text", TEXT, texts),
    ("matrix", MATRIX, matrices), ("radical", RADICAL, radicals),
]


def kind_of(gold):
    """Name of the answer's kind and a function of a random source that rewrites it."""
    if INTEGER.match(gold) and len(gold) < 16:
        return "integer", lambda rng: integers(gold, rng)
    for name, pattern, rewrite in KINDS:
        match = pattern.match(gold)
        # (0, 1) in MATH is a point unless infinity shows an interval.
        if match and (name != "interval" or gold[-1] == "]" or "[" in gold or "infty" in gold):
            return name, lambda rng: rewrite(match, rng)
    if LIST.match(gold):
        return "list", lambda rng: lists(gold, rng)
    if POLYNOMIAL.match(gold) and len(gold) > 3 and not gold.isalpha():
        return "polynomial", lambda rng: polynomials(gold, rng)
    return "other", lambda rng: ([gold.replace("\\frac", "\\dfrac"), f"${gold}$", f" {gold} ",
                                  f"\\boxed{{{gold}}}", f"\\displaystyle {gold}"],
                                 [f"{gold}+1", "17"] if "text" not in gold else [])


def answers(path):
    return [json.loads(line)["answer"] for line in path.open(encoding="utf-8")]


def make(folder, out):
    rng = random.Random(20250922)
    seen, rows = set(), []

    def add(gold, prediction, label, kind):
        if "\t" in gold + prediction or "\n" in gold + prediction or (gold, prediction) in seen:
            return
        seen.add((gold, prediction))
        rows.append((gold, prediction, label, kind))

    math = answers(folder / "math500.jsonl")
    more = answers(folder / "math_train.jsonl")
    rare = [a for a in more if kind_of(a)[0] not in ("integer", "fraction", "other")]
    golds = math + rng.sample(rare, 220) + rng.sample(answers(folder / "gsm8k_test.jsonl"), 120)
    for gold in dict.fromkeys(golds):
        kind, rewrite = kind_of(gold)
        same, other = rewrite(rng)
        for prediction in rng.sample(same, min(2 if kind in ("integer", "other") else 3, len(same))):
            add(gold, prediction, "=", kind)
        for prediction in rng.sample(other, min(1 if kind == "other" else 2, len(other))):
            add(gold, prediction, "!", kind)
    out.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} pairs, {sum(r[2] == '=' for r in rows)} of them equal")


def read(path):
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def peer(path):
    import logging
    from math_verify import parse, verify

    logging.disable(logging.CRITICAL)
    rows = read(path)
    for row in rows:
        def parsed(text):
            marked = "$" in text or "\\boxed" in text or "\\(" in text
            return (not marked and parse(f"${text}$")) or parse(text)
        del row[4:]
        row.append("=" if verify(parsed(row[0]), parsed(row[1])) else "!")
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def compare(path, program):
    rows = read(path)
    lines = "".join(json.dumps({"gold": r[0], "pred": r[1]}) + "\n" for r in rows)
    done = subprocess.run([program, "grade", "-"], input=lines, capture_output=True, text=True)
    ours = ["=" if json.loads(line)["equal"] else "!" for line in done.stdout.splitlines()]
    assert len(ours) == len(rows), done.stderr
    right = sum(o == r[2] for o, r in zip(ours, rows))
    peers = sum(r[4] == r[2] for r in rows)
    both = [o == r[2] for o, r in zip(ours, rows) if r[4] == r[2]]
    print(f"pairs                                  {len(rows)}")
    print(f"rsd right                              {right} ({right / len(rows):.2%})")
    print(f"Math-Verify right                      {peers} ({peers / len(rows):.2%})")
    print(f"rsd agrees where Math-Verify is right  {sum(both)} of {len(both)} "
          f"({sum(both) / len(both):.2%})")
    print("\nDisagreements: kind, gold, prediction, label, who is right")
    for mine, row in zip(ours, rows):
        if mine != row[4]:
            who = "rsd" if mine == row[2] else "Math-Verify"
            print(f"{row[3]}\t{row[0]}\t{row[1]}\t{row[2]}\t{who}")
    wrong = [r for o, r in zip(ours, rows) if o != r[2] and o == r[4]]
    for row in wrong:
        print(f"{row[3]}\t{row[0]}\t{row[1]}\t{row[2]}\tneither")


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "make":
        make(Path(sys.argv[2]), Path(sys.argv[3]))
    elif len(sys.argv) == 3 and sys.argv[1] == "peer":
        peer(Path(sys.argv[2]))
    elif len(sys.argv) == 4 and sys.argv[1] == "compare":
        compare(Path(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(__doc__)
