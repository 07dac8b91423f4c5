"""Writes Tests/BasicsTests/Fixtures/elementary.tsv: exact values of elementary functions.

Run by hand from the repository root: python3 Tools/elementary_fixtures.py
Needs Python's standard library alone. Values have 60 digits; angles are reduced with 1300, which the
greatest doubles need.

A line is a function, the bits of its arguments (two of `pow`), and the value as a sum of two doubles,
the nearest one and the nearest one to what it leaves.
"""

import random
import struct
from decimal import Decimal, getcontext

getcontext().prec = 1300


def arctangent_of_reciprocal(n):
    total = term = Decimal(1) / n
    divisor = 1
    while abs(term) > Decimal(10) ** -1310:
        term /= -n * n
        divisor += 2
        total += term / divisor
    return total


PI = 4 * (4 * arctangent_of_reciprocal(5) - arctangent_of_reciprocal(239))
assert str(PI).startswith("3.14159265358979323846264338327950288419716939937510")


def sine_and_cosine(x):
    """By Taylor's series of the angle that is left of x without its quarter turns."""
    turns = (x / (PI / 2)).to_integral_value()
    r = x - turns * (PI / 2)
    getcontext().prec = 60
    r = +r
    sine, cosine, term = Decimal(0), Decimal(0), Decimal(1)
    for k in range(60):
        if k % 2:
            sine += term if k % 4 == 1 else -term
        else:
            cosine += term if k % 4 == 0 else -term
        term = term * r / (k + 1)
    getcontext().prec = 1300
    return [(sine, cosine), (cosine, -sine), (-sine, -cosine), (-cosine, sine)][int(turns) % 4]


def short(function):
    """The function computed with 60 digits; operands keep all of theirs."""
    def value(*arguments):
        getcontext().prec = 60
        result = function(*arguments)
        getcontext().prec = 1300
        return result
    return value


def log1p(x):
    u = 1 + x  # exact, but for the smallest x
    getcontext().prec = 60
    if abs(x) < Decimal("1e-5"):
        result = sum((x ** k / k if k % 2 else -(x ** k) / k) for k in range(1, 14))
    else:
        result = u.ln()
    getcontext().prec = 1300
    return result


VALUES = {
    "exp": short(lambda x: x.exp()),
    "log": short(lambda x: x.ln()),
    "log1p": log1p,
    "log10": short(lambda x: x.log10()),
    "sin": lambda x: sine_and_cosine(x)[0],
    "cos": lambda x: sine_and_cosine(x)[1],
    "pow": short(lambda x, y: (y * x.ln()).exp()),
}


def arguments(chance):
    uniform = chance.uniform

    def tiny():
        return uniform(-0.5, 0.5) * 2.0 ** -chance.randrange(60)

    def positive():
        return uniform(1, 2) * 2.0 ** chance.randrange(-1022, 1024)

    def angle():
        return uniform(-1, 1) * 2.0 ** chance.choice([1, 3, 10, 20, 24, 30, 60, 200, 1000])

    def near_quarter_turn():
        return float(PI / 2 * chance.randrange(1, 2 ** chance.choice([4, 20, 30, 50])))

    for _ in range(30):
        yield "exp", (uniform(-745, 709.5),)
        yield "exp", (tiny(),)
        for name in ("log", "log10"):
            yield name, (positive(),)
            yield name, (1 + tiny(),)
        yield "log1p", (uniform(-1, 1),)
        yield "log1p", (tiny(),)
        yield "log1p", (positive(),)
        for name in ("sin", "cos"):
            yield name, (uniform(-7, 7),)
            yield name, (angle(),)
            yield name, (near_quarter_turn(),)
        yield "sin", (tiny(),)
        yield "pow", (chance.choice([1e4, 1e5, 5e5, 1e6]), -chance.randrange(1, 64) / 64)
        yield "pow", (chance.choice([0.9, 0.95, 0.99, 0.999]), float(chance.randrange(1, 20000)))
        yield "pow", (uniform(0, 50), uniform(-100, 100))
    # The double that is nearest to a multiple of pi/2, relative to its size (Kahan and McDonald).
    nearest = 6381956970095103 * 2.0 ** 797
    for name in ("sin", "cos"):
        for x in (nearest, 1.7976931348623157e308, 0.7853981633974483, 2.0 ** -1030):
            yield name, (x,)
    for x in (-745.0, -744.4400719213812, -708.5, 709.782712893384):
        yield "exp", (x,)
    for x in (5e-324, 2.0 ** -1030, 0.7071067811865475, 0.7071067811865476, 1.7976931348623157e308):
        yield "log", (x,)
        yield "log10", (x,)
        yield "log1p", (x,)
    yield "log1p", (-0.9999999999999999,)
    yield "pow", (5e-324, 0.5)
    yield "pow", (1.0000000000000002, 3e18)
    yield "pow", (10.0, -320.0)


def bits(x):
    return struct.pack(">d", x).hex()


def main():
    lines = ["# Made by Tools/elementary_fixtures.py: exact values of elementary functions."]
    for name, x in arguments(random.Random(17)):
        value = VALUES[name](*map(Decimal, x))
        high = float(value)
        low = float(value - Decimal(high))
        lines.append("\t".join([name, *map(bits, x), bits(high), bits(low)]))
    with open("Tests/BasicsTests/Fixtures/elementary.tsv", "w") as file:
        file.write("\n".join(lines) + "\n")


main()
