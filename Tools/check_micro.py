"""Checks that the miniature experiment has learned: python3 Tools/check_micro.py table.csv

The bounds are wide, for another processor trains other students: chance is 10 %, and in the
published runs `direct` lost at least 18 points and `rsd` was at least 26 points better than it.
"""

import csv
import sys

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    accuracy = {(row["arm"], row["benchmark"]): float(row["accuracy"]) for row in csv.DictReader(file)}
average = {arm: value for (arm, benchmark), value in accuracy.items() if benchmark == "average"}
base, direct, rsd = (average[arm] for arm in ("base", "direct", "rsd"))

failures = [
    text
    for text, holds in [
        ("5 arms on 4 benchmarks and their average", len(accuracy) == 25),
        ("base above chance", base > 0.12),
        ("direct 5 points below base", direct < base - 0.05),
        ("rsd 5 points above direct", rsd > direct + 0.05),
    ]
    if not holds
]
for failure in failures:
    print(f"ERROR: {sys.argv[1]}: expected {failure}; found {average}", file=sys.stderr)
sys.exit(1 if failures else 0)
