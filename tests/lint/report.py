"""Writes docs/static-analysis.md and its picture from what a run has found."""

import html
import os
import re

import suppressions

DOCUMENT = "docs/static-analysis.md"
PICTURE = "docs/static-analysis.svg"
ANSI = re.compile(r"\x1b\[(\d+)m")
COLORS = {"0": "#d8dee9", "1": "#ffffff", "31": "#ff8080", "32": "#8fd694"}
CHARACTER_WIDTH = 8.4
LINE_HEIGHT = 20
MARGIN = 16

HEAD = """# Static analysis

`script/lint` runs these tools over the repository; a finding of any of them fails it, and with it
continuous integration. Each is pinned to the version of Debian 12: another one is refused, because its
opinion would be another one. `script/lint --planted` tries each tool on a fault of its own, planted in a
copy, and fails where one is not found; `script/lint TOOL` runs one alone.
This page and the picture are written by `script/lint --report`.

![The terminal after script/lint: a line for each tool, with its version, how many files it looked
at, what it found and how often it was silenced](static-analysis.svg)

A finding is `file:line: what is wrong [name of the check]`, whatever tool it comes from. *Files* counts
what a tool was given, headers that it reads besides not among them; *suppressions* counts the places
where it was told to be silent, which are [all listed below](#suppressions).
"""

TAIL = """
## Suppressions

A tool is silenced where the finding is, on that line or the one before, with the name of the check
and a reason; the rule `reasons` of the tidy test finds those that have none. Checks that nothing here
could pass, or that say what another one says, are taken out in `.clang-tidy`, with a reason each.
"""


def text_of(line, y):
    """Returns one line of the terminal as SVG text, each stretch in its colour."""
    color = "0"
    spans = []
    for number, part in enumerate(ANSI.split(line)):
        if number % 2 == 1:
            color = part
        elif part:
            weight = ' font-weight="bold"' if color == "1" else ""
            spans.append(f'<tspan fill="{COLORS[color]}"{weight}>{html.escape(part)}</tspan>')
    return f'<text x="{MARGIN}" y="{y}" xml:space="preserve">{"".join(spans)}</text>'


def picture(lines):
    """Returns an SVG of a terminal that shows these lines."""
    shown = ["$ script/lint", *lines]
    width = max(len(ANSI.sub("", line)) for line in shown) * CHARACTER_WIDTH + 2 * MARGIN
    height = len(shown) * LINE_HEIGHT + 2 * MARGIN
    texts = [text_of(line, MARGIN + (number + 1) * LINE_HEIGHT - 6)
             for number, line in enumerate(shown)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" font-family="monospace" font-size="14">',
        '<rect width="100%" height="100%" rx="8" fill="#20242c"/>', *texts, "</svg>", ""])


def cell(text):
    return text.replace("|", "\\|")


def table(results):
    yield "\n| tool | version | looks at | files | findings | suppressions |\n|---|---|---|---|---|---|\n"
    for one in results:
        yield (f"| {one.tool.name} | {one.version} | {one.tool.reads} | {one.file_count} | "
               f"{len(one.findings)} | {one.suppression_count} |\n")


def sections(results, caught):
    yield "\n## What each looks for, and a fault that it found\n\nThe faults are those of `--planted`.\n"
    for one in results:
        yield f"\n**{one.tool.name}.** {one.tool.looks_for}\n\n```\n{caught[one.tool.name]}\n```\n"


def silenced(tree):
    yield "\n| tool | where | what | why |\n|---|---|---|---|\n"
    for one in suppressions.collect(tree):
        yield f"| {one.tool} | {one.place.split(':')[0]} | `{one.of}` | {cell(one.reason)} |\n"


def write(tree, results, lines, caught):
    for name, text in (
            (PICTURE, picture(lines)),
            (DOCUMENT, HEAD + "".join([*table(results), *sections(results, caught), TAIL,
                                       *silenced(tree)]))):
        with open(os.path.join(tree.root, name), "w", encoding="utf-8") as file:
            file.write(text)
