"""Finds what the tools were told to be silent about, with the reason that has to stand beside it."""

import re

IN_PLACE = (
    ("clang-tidy", re.compile(r"NOLINT(?:NEXTLINE|BEGIN)?(?:\(([\w.,*-]+)\))?(.*)")),
    ("cppcheck", re.compile(r"cppcheck-suppress(?:-\w+)?[ \[](\w+)\]?(.*)")),
    ("shellcheck", re.compile(r"shellcheck disable=([\w,]+)(.*)")),
    ("clang-format", re.compile(r"clang-format (off)(.*)")),
    ("gcc -fanalyzer", re.compile(r"analyzer: ([\w-]+):(.*)")),
    ("tidy", re.compile(r"tidy: (\w+):(.*)")),
)
WORDS = "tests/lint/words.txt"
CLANG_TIDY = ".clang-tidy"


class Suppression:
    def __init__(self, tool, place, of, reason):
        self.tool = tool
        self.place = place
        self.of = of or ""
        self.reason = re.sub(r"\s*\*/\s*$", "", reason).strip(" :;#/*")

    def has_reason(self):
        return self.of != "" and len(self.reason.split()) >= 3


def in_place(tree):
    """Yields those that stand in the sources, at the place they are about."""
    for name in tree.files:
        if name.startswith("tests/lint/") or not (name.endswith((".c", ".h", ".py"))
                                                  or name in tree.scripts()):
            continue
        for number, line in enumerate(tree.lines(name), 1):
            for tool, pattern in IN_PLACE:
                match = pattern.search(line)
                if match and "NOLINTEND" not in line:
                    yield Suppression(tool, f"{name}:{number}", match.group(1), match.group(2))


def disabled_checks(tree):
    """Yields the checks that .clang-tidy takes out, each with its line of reason above."""
    text = tree.text(CLANG_TIDY)
    reasons = dict(re.findall(r"^# ([\w.-]+): (.*(?:\n#   .*)*)", text, re.M))
    for check in re.findall(r"^ +-([\w.-]+),?$", text, re.M):
        reason = re.sub(r"\s*\n#\s+", " ", reasons.get(check, ""))
        yield Suppression("clang-tidy", CLANG_TIDY, check, reason)


def words(tree):
    """Yields the words that codespell passes over; the line before one says why."""
    lines = tree.lines(WORDS)
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            before = lines[number - 2] if number > 1 else ""
            yield Suppression("codespell", f"{WORDS}:{number}", line,
                              before if before.startswith("#") else "")


def collect(tree):
    return [*disabled_checks(tree), *words(tree), *in_place(tree)]


def without_reason(tree):
    for one in collect(tree):
        if not one.has_reason():
            place = one.place if ":" in one.place else one.place + ":1"
            yield f"{place}: {one.tool} is silenced ({one.of}) and nothing says why"
