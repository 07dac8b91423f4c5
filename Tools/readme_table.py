"""Copies the table and the verdicts of results/micro/table.md into README.md.

Run by hand after `make reproduce`:  python3 Tools/readme_table.py
"""

import re

table = open("results/micro/table.md", encoding="utf-8").read()


def section(title):
    """The body of one section of the report."""
    return re.search(rf"^## {title}.*?\n\n(.*?)(?=^## )", table, re.S | re.M).group(1).strip()


body = "<!-- results -->\n\n{}\n\n{}\n\n<!-- end of results -->".format(
    section("Accuracy, %"), section("Verdicts")
)
readme = open("README.md", encoding="utf-8").read()
pattern = r"<!-- results -->.*?<!-- end of results -->|<!-- results -->"
readme = re.sub(pattern, lambda _: body, readme, count=1, flags=re.S)
open("README.md", "w", encoding="utf-8").write(readme)
