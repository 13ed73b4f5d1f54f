"""The files of the repository, and the little of C that can be told from its layout.

The layout is that of .clang-format: a definition's name stands at the start of a line, and its body
ends with a brace alone at the start of a line.
"""

import functools
import os
import re
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT = ("broker", "client", "pipeline", "shared")
C_NAME = re.compile(r"\.[ch]$")
DEFINITION = re.compile(r"([a-z_][a-z0-9_]*)\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


class Tree:
    """The files of one copy of the repository: those that git knows or would take."""

    def __init__(self, root):
        self.root = root
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
            stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
        self.files = sorted({name for name in listed.split("\0")
                             if name and os.path.isfile(os.path.join(root, name))})
        self.texts = {}

    def text(self, name):
        if name not in self.texts:
            with open(os.path.join(self.root, name), encoding="utf-8", errors="replace") as file:
                self.texts[name] = file.read()
        return self.texts[name]

    def lines(self, name):
        return self.text(name).splitlines()

    def select(self, pattern):
        """Returns the files whose whole name the regular expression fits."""
        return [name for name in self.files if re.fullmatch(pattern, name)]

    def product(self):
        """Returns the sources and headers that programs are made of."""
        return self.select(r"(%s)/[a-z_]+\.[ch]" % "|".join(PRODUCT))

    def c(self):
        return [name for name in self.files if C_NAME.search(name)]

    def python(self):
        return self.select(r".*\.py")

    def scripts(self):
        """Returns the shell scripts: files without a suffix that begin as one, and *.sh."""
        return [name for name in self.files
                if name.endswith(".sh") or "." not in os.path.basename(name)
                and re.match(r"#!.*sh\b|# shellcheck shell=", self.text(name)[:100])]


def copy_to(folder):
    """Makes a copy of the files that are in the repository, as a repository of its own."""
    for name in Tree(ROOT).files:
        target = os.path.join(folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(ROOT, name), target, follow_symlinks=False)
    subprocess.run(["git", "init", "-q", folder], check=True)
    return Tree(folder)


@functools.lru_cache(maxsize=None)
def without_comments(text):
    """Returns C with comments and the insides of literals blanked, each line in its place."""
    def blank(match):
        whole = match.group(0)
        if whole.startswith("/"):
            return re.sub(r"[^\n]", " ", whole)
        return whole[0] + " " * (len(whole) - 2) + whole[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def functions(text):
    """Yields (name, line of the name, lines from there to the closing brace) of each definition."""
    begun = None
    for number, line in enumerate(text.splitlines(), 1):
        match = DEFINITION.match(line)
        if match:
            begun = (match.group(1), number)
        elif line.startswith("}"):
            if line == "}" and begun is not None:
                yield begun[0], begun[1], number - begun[1] + 1
            begun = None


def includes(text):
    """Yields (name, line, is in quotes) of each include."""
    for match in INCLUDE.finditer(text):
        yield match.group(2), text.count("\n", 0, match.start(2)) + 1, match.group(1) == '"'
