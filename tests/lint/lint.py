"""Runs the tools over the repository, or over a copy with a fault for each of them.

usage: lint.py [--planted | --report] [TOOL...]
Ends with 0 when nothing was found (or, of planted faults, each one), 1 otherwise, 2 on wrong usage.
"""

import argparse
import os
import re
import sys
import tempfile
import time

import report
import suppressions
from sources import ROOT, Tree, copy_to
from tools import TOOLS

ROW = "{:<16}{:<10}{:>7}{:>10}{:>14}"


class Result:
    """What came of one tool."""

    def __init__(self, tool, version, file_count, findings, suppression_count):
        self.tool = tool
        self.version = version
        self.file_count = file_count
        self.findings = findings
        self.suppression_count = suppression_count


def check_versions(tools):
    """Returns {name: version}; ends where one is not that of Debian 12, whose opinion counts here."""
    told = {}
    for tool in tools:
        told[tool.name] = tool.told_version()
        if not (told[tool.name] + ".").startswith(tool.version + "."):
            raise SystemExit(f"script/lint: {tool.name} is version {told[tool.name]}; "
                             f"what is checked here is meant for Debian 12's, {tool.version}")
    return told


def painted(text, color, is_wanted):
    return f"\x1b[{color}m{text}\x1b[0m" if is_wanted else text


def show(result, color):
    row = ROW.format(result.tool.name, result.version, result.file_count, len(result.findings),
                     result.suppression_count)
    yield painted(row, 31 if result.findings else 32, color)
    for finding in result.findings:
        yield "  " + finding


def run(tools, color):
    """Runs the tools over the repository, tells of each as it ends, and returns the results."""
    tree = Tree(ROOT)
    versions = check_versions(tools)
    silenced = [one.tool for one in suppressions.collect(tree)]
    results = []
    lines = [painted(ROW.format("tool", "version", "files", "findings", "suppressions"), 1, color)]
    print(lines[0], flush=True)
    for tool in tools:
        begun = time.monotonic()
        result = Result(tool, versions[tool.name], len(tool.all_files(tree)), tool.run(tree),
                        silenced.count(tool.name))
        results.append(result)
        for line in show(result, color):
            print(line, flush=True)
            lines.append(line)
        print(f"script/lint: {tool.name}: {time.monotonic() - begun:.1f} s", file=sys.stderr)
    count = sum(len(result.findings) for result in results)
    lines.append(painted(f"{len(results)} tools, {count} findings", 1, color))
    print(lines[-1])
    return results, lines


def plant(tools):
    """Plants each tool's fault in a copy; returns {name: the finding, or None where it was missed}."""
    caught = {}
    with tempfile.TemporaryDirectory(prefix="stockbus-planted-") as folder:
        tree = copy_to(folder)
        for tool in tools:
            path = os.path.join(folder, tool.fault.file)
            with open(path, encoding="utf-8") as file:
                clean = file.read()  # not by way of the tree, which would remember it
            with open(path, "a", encoding="utf-8") as file:
                file.write(tool.fault.text)
            found = tool.run(tree, [tool.fault.file])
            with open(path, "w", encoding="utf-8") as file:
                file.write(clean)
            caught[tool.name] = next(
                (finding for finding in found if re.search(tool.fault.finding, finding)), None)
            print(f"{tool.name:<16}{caught[tool.name] or 'MISSED: ' + repr(found)}", flush=True)
    return caught


def main():
    parser = argparse.ArgumentParser(prog="script/lint", description="Static checks of everything.")
    parser.add_argument("--planted", action="store_true",
                        help="try each tool on a fault that is planted in a copy")
    parser.add_argument("--report", action="store_true",
                        help="write docs/static-analysis.md and its picture as well")
    parser.add_argument("tools", nargs="*", metavar="TOOL", help="one of: %s" %
                        ", ".join(tool.name for tool in TOOLS))
    options = parser.parse_args()
    unknown = set(options.tools) - {tool.name for tool in TOOLS}
    if unknown or options.report and options.tools:
        parser.error("no such tool: " + ", ".join(sorted(unknown)) if unknown
                     else "a report is about all tools")
    tools = [tool for tool in TOOLS if not options.tools or tool.name in options.tools]
    if options.planted:
        check_versions(tools)
        return 0 if all(plant(tools).values()) else 1
    is_color = options.report or sys.stdout.isatty() and "NO_COLOR" not in os.environ
    results, lines = run(tools, is_color)
    if options.report:
        report.write(Tree(ROOT), results, lines, plant(tools))
    return 1 if any(result.findings for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
