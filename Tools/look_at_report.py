#!/usr/bin/env python3
"""Looks at a report as a browser shows it: screenshots, contrast, what scrolls sideways.

    Tools/look_at_report.py results/micro/report.html OUT

Writes OUT-desktop.png, OUT-dark.png, OUT-phone.png and OUT-print.pdf, and prints for light and dark
paper how many texts there are, the lowest contrast ratios among them (WCAG 2.2 asks for 4.5), and
which regions are wider than the window. Needs Chromium (Debian: chromium).
"""

import html
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHROMIUM = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
DARK = "--blink-settings=preferredColorScheme=0"

MEASURE = """<script>
const color = (text) => { const c = text.match(/[\\d.]+/g).map(Number); return c.length < 4 ? [...c, 1] : c; };
const luminance = (c) => {
  const [r, g, b] = c.map((x) => x / 255).map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const paper = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const c = color(getComputedStyle(e).backgroundColor);
    if (c[3] > 0) return c;
  }
  return [255, 255, 255, 1];
};
for (const details of document.querySelectorAll("details")) details.open = true;
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const lowest = {};
let count = 0;
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
  if (!text || ["script", "style", "title", "desc"].includes(element.tagName.toLowerCase())) continue;
  const style = getComputedStyle(element), isPlot = element.closest("svg") !== null;
  const behind = paper(element), ink = color(isPlot ? style.fill : style.color);
  const share = isPlot ? style.opacity * style.fillOpacity : 1;
  const mixed = ink.map((x, i) => x * share + behind[i] * (1 - share)).slice(0, 3);
  const pair = [luminance(mixed), luminance(behind.slice(0, 3))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  const key = `${mixed.map(Math.round)} on ${behind.slice(0, 3)}`;
  count += 1;
  if (!(key in lowest) || ratio < lowest[key][0]) lowest[key] = [ratio, text.slice(0, 40)];
}
const wide = [...document.querySelectorAll(".scroll, figure")].filter((e) => e.scrollWidth > e.clientWidth + 1)
  .map((e) => `${e.getAttribute("aria-label")}: ${e.scrollWidth} in ${e.clientWidth}`);
const pageWidth = document.documentElement.scrollWidth;
document.body.textContent = "MEASURED" + JSON.stringify({count, lowest, wide, pageWidth}) + "END";
</script></body>"""


def chromium(*arguments):
    return subprocess.run([*CHROMIUM, *arguments], capture_output=True, text=True, check=True).stdout


def measure(page, width, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(page.replace("</body>", MEASURE))
        text = chromium(f"--window-size={width},900", "--dump-dom", *arguments, copy.as_uri())
    return json.loads(html.unescape(re.search(r"MEASURED(.*)END", text, re.S).group(1)))


def main(report, out):
    address = Path(report).resolve().as_uri()
    page = Path(report).read_text()
    for name, width, arguments in [("light", 1280, []), ("dark", 1280, [DARK]), ("phone", 500, [])]:
        found = measure(page, width, *arguments)
        print(f"{name}: {found['count']} texts, page {found['pageWidth']} wide in {width}")
        if name != "phone":
            for pair, (ratio, text) in sorted(found["lowest"].items(), key=lambda x: x[1][0])[:5]:
                print(f"  {ratio:5.2f}  {pair}  {text!r}")
            print("  scrolls sideways:", "; ".join(found["wide"]) or "nothing")
    chromium("--window-size=1280,9000", f"--screenshot={out}-desktop.png", address)
    chromium("--window-size=1280,9000", DARK, f"--screenshot={out}-dark.png", address)
    chromium("--window-size=500,9000", f"--screenshot={out}-phone.png", address)
    chromium("--no-pdf-header-footer", f"--print-to-pdf={out}-print.pdf", address)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
