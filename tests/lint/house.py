"""Draws docs/includes.dot and fills in the sizes of docs/architecture.md, both from the sources.

usage: house.py
"""

import os
import re

import tidy
from sources import PRODUCT, ROOT, Tree, functions

BEGIN = "<!-- script/pictures writes what follows -->\n"
END = "<!-- up to here -->\n"
LONGEST = 10
SUFFIX = re.compile(r"\.[ch]$")


def graph(tree):
    """Returns {module: the modules it includes}; a module is a source and its header."""
    result = {}
    for name, included in tidy.include_graph(tree).items():
        module = SUFFIX.sub("", name)
        others = {SUFFIX.sub("", other) for other in included} - {module}
        result[module] = result.get(module, set()) | others
    return result


def reachable(modules, start):
    seen = set()
    left = list(start)
    while left:
        module = left.pop()
        if module not in seen:
            seen.add(module)
            left.extend(modules.get(module, ()))
    return seen


def reduced(modules):
    """Leaves out what is included by something else that is included."""
    for module, others in modules.items():
        implied = reachable(modules, {below for other in others for below in modules.get(other, ())})
        yield module, sorted(others - implied or others)


def dot(tree):
    modules = graph(tree)
    yield "// Which module includes which. Written by script/pictures from the sources.\n"
    yield "digraph includes {\n    graph [rankdir=LR, fontname=\"Helvetica\", nodesep=0.08, ranksep=0.9]\n"
    yield ("    node [fontname=\"Helvetica\", fontsize=10, shape=box, height=0.2, "
           "style=\"rounded,filled\", fillcolor=\"#f4f6f8\", color=\"#5b6b7b\"]\n"
           "    edge [color=\"#9aa7b4\", arrowsize=0.5]\n")
    for folder in PRODUCT:
        yield f"    subgraph cluster_{folder} {{\n        label=\"{folder}/\"; color=\"#9aa7b4\"\n"
        for module in sorted(modules):
            if module.startswith(folder + "/"):
                yield f"        \"{module}\" [label=\"{module.split('/')[1]}\"]\n"
        yield "    }\n"
    for module, others in sorted(reduced(modules)):
        for other in others:
            yield f"    \"{module}\" -> \"{other}\"\n"
    yield "}\n"


def folder_of(name):
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] == "tests" and len(parts) > 2 else parts[0]


def sizes(tree):
    """Yields the tables of folders and of the longest functions."""
    files = [name for name in tree.files if name.endswith((".c", ".h", ".py"))
             or name in tree.scripts()]
    totals = {}
    for name in files:
        folder = folder_of(name)
        count, lines = totals.get(folder, (0, 0))
        totals[folder] = (count + 1, lines + len(tree.lines(name)))
    yield "| folder | files | lines |\n|---|---|---|\n"
    for folder in sorted(totals, key=lambda one: (one.startswith("tests"), one)):
        yield f"| `{folder}/` | {totals[folder][0]} | {totals[folder][1]} |\n"
    for what, is_test in ("programs", False), ("tests", True):
        lines = sum(lines for folder, (_, lines) in totals.items()
                    if folder.startswith("tests") == is_test and (is_test or folder in PRODUCT))
        yield f"| all {what} | | {lines} |\n"
    yield "\nThe longest functions of the programs:\n\n| function | file | lines |\n|---|---|---|\n"
    longest = sorted(((count, function, name) for name in tree.product()
                      for function, _, count in functions(tree.text(name))), reverse=True)
    for count, function, name in longest[:LONGEST]:
        yield f"| `{function}()` | `{name}` | {count} |\n"


def main():
    tree = Tree(ROOT)
    with open(os.path.join(ROOT, "docs/includes.dot"), "w", encoding="utf-8") as file:
        file.writelines(dot(tree))
    document = tree.text("docs/architecture.md")
    begin = document.index(BEGIN) + len(BEGIN)
    with open(os.path.join(ROOT, "docs/architecture.md"), "w", encoding="utf-8") as file:
        file.write(document[:begin] + "\n" + "".join(sizes(tree)) + "\n"
                   + document[document.index(END):])


if __name__ == "__main__":
    main()
