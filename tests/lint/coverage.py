"""What the tests of the modules reach of the modules that everything rests on, as gcov counted it.

usage: coverage.py           after the tests of the preset coverage; prints the table and judges it
       coverage.py --report  writes docs/coverage.md as well
Ends with 1 where a module falls short of its bound, or a line that is not reached has no reason.
"""

import argparse
import json
import os
import re
import subprocess
import sys

from sources import ROOT

LINES_MIN = 95
BRANCHES_MIN = 90
MODULES = {
    "ledger": r"broker/(ledger|stock|sessions|index|event)\.c",
    "journal": r"shared/journal\.c",
    "snapshot": r"shared/snapshot\.c",
    "protocol": r"shared/(protocol|request|reply|stats|pack)\.c",
    "guard": r"shared/guard\.c",
    "bounded_list": r"pipeline/bounded_list\.c",
    "local inventory": r"client/local_(inventory|state|record|record_apply)\.c",
}
# The branch of an assertion that fails is for bugs of ours, and nothing reaches it.
ASSERTION = r"^\s*assert\(.*"
UNREACHED = re.compile(r"/\* unreached: (.*?) ?\*/")
HEAD = """# Coverage

What the unit tests, those of faults and the fuzz targets (`ctest -L modules`) reach of the modules that everything else rests on;
the integration tests and the simulator come on top and are not counted. `script/test coverage`
measures it with gcov and gcovr and fails where a module falls below %d %% of its lines or %d %% of its
branches; `script/test coverage --report` writes this page.

The branch of an assertion that would end the program is not counted: only a bug of Stockbus takes it.
Everything else is, also what happens when memory is short or the disk fails.

| module | files | lines | reached | branches | reached |
|---|---|---|---|---|---|
"""
TAIL = """
## What is not reached

A line that no test reaches says why in a comment before it, `unreached: reason`, which stands for the lines
right behind it as well; without one it has a dash here, and `script/test coverage` fails.

| file | line | code | why |
|---|---|---|---|
"""


def measure():
    """Returns gcovr's count of each file of the modules, {name: its lines}."""
    folder = os.path.join(ROOT, "build", "coverage")
    done = subprocess.run(
        ["gcovr", "--root", ROOT, "--object-directory", folder, "--json", "-", "-j",
         str(os.cpu_count()), "--exclude-unreachable-branches",
         "--exclude-branches-by-pattern", ASSERTION, "--exclude-lines-by-pattern",
         r"^\s*assert\(false.*",
         *sum((["--filter", os.path.join(ROOT, files) + "$"] for files in MODULES.values()), []),
         folder], cwd=folder, stdout=subprocess.PIPE, check=True)
    return {file["file"]: file["lines"] for file in json.loads(done.stdout)["files"]}


def count(lines):
    """Returns (lines, of them reached, branches, of them reached)."""
    real = [line for line in lines if not line["gcovr/noncode"]]
    branches = [branch for line in real for branch in line["branches"]]
    return (len(real), sum(line["count"] > 0 for line in real), len(branches),
            sum(branch["count"] > 0 for branch in branches))


def percent(part, whole):
    return 100.0 if whole == 0 else 100.0 * part / whole


def rows(measured):
    """Yields (module, number of files, lines, reached, branches, reached)."""
    for module, pattern in MODULES.items():
        files = [name for name in measured if re.fullmatch(pattern, name)]
        sums = [sum(numbers) for numbers in zip(*(count(measured[name]) for name in files))]
        yield (module, len(files), *sums)


def unreached(measured):
    """Yields (file, line, its code, why or None) of each line that no test reaches."""
    for name in sorted(measured):
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            text = file.read().splitlines()
        last, reason = -1, None
        for line in measured[name]:
            if line["count"] == 0 and not line["gcovr/noncode"]:
                number = line["line_number"]
                why = UNREACHED.search("\n".join(text[max(0, number - 3):number]))
                # A reason is for all that follows in one stretch.
                reason = why.group(1) if why else reason if number - last <= 3 else None
                last = number
                yield name, number, text[number - 1].strip(), reason


def write(table, left):
    with open(os.path.join(ROOT, "docs", "coverage.md"), "w", encoding="utf-8") as file:
        file.write(HEAD % (LINES_MIN, BRANCHES_MIN))
        for module, files, lines, lines_hit, branches, branches_hit in table:
            file.write(f"| {module} | {files} | {lines} | {percent(lines_hit, lines):.1f} % | "
                       f"{branches} | {percent(branches_hit, branches):.1f} % |\n")
        file.write(TAIL)
        for name, number, code, why in left:
            file.write(f"| {name} | {number} | `{code.replace('|', chr(92) + '|')}` | {why or '-'} |\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    measured = measure()
    table = list(rows(measured))
    left = list(unreached(measured))
    good = True
    print(f"{'module':<18}{'files':>6}{'lines':>7}{'reached':>9}{'branches':>10}{'reached':>9}")
    for module, files, lines, lines_hit, branches, branches_hit in table:
        line_percent = percent(lines_hit, lines)
        branch_percent = percent(branches_hit, branches)
        enough = line_percent >= LINES_MIN and branch_percent >= BRANCHES_MIN
        good = good and enough
        print(f"{module:<18}{files:>6}{lines:>7}{line_percent:>8.1f}%{branches:>10}"
              f"{branch_percent:>8.1f}%{'' if enough else '  too little'}")
    for name, number, code, why in left:
        print(f"{name}:{number}: not reached: {code}{'' if why is None else '   (' + why + ')'}")
    if options.report:
        write(table, left)
    return 0 if good and all(why is not None for *_, why in left) else 1


if __name__ == "__main__":
    sys.exit(main())
