"""Copies tables and verdicts of results/NAME/table.md into README.md, between the comments
`<!-- results/NAME -->` and `<!-- end of results -->`.

Run by hand after a report has been made anew:  python3 Tools/readme_table.py
"""

import re


def section(table, title):
    """The body of one section of a report."""
    return re.search(rf"^## {title}.*?\n\n(.*?)(?=^## )", table, re.S | re.M).group(1).strip()


def body(match):
    with open(f"results/{match[1]}/table.md", encoding="utf-8") as file:
        table = file.read()
    accuracy, verdicts = section(table, "Accuracy, %"), section(table, "Verdicts")
    return f"<!-- results/{match[1]} -->\n\n{accuracy}\n\n{verdicts}\n\n<!-- end of results -->"


with open("README.md", encoding="utf-8") as file:
    readme = file.read()
pattern = r"<!-- results/(\S+) -->.*?<!-- end of results -->"
readme = re.sub(pattern, body, readme, flags=re.S)
with open("README.md", "w", encoding="utf-8") as file:
    file.write(readme)
