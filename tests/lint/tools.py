"""The tools: what each is asked, about which files, and a fault that it has to find.

A finding is "file:line: message [name of the check]", with the file as seen from the root.
"""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess

import suppressions
import tidy

MESSAGE = re.compile(r"^(?P<file>[^:\s][^:]*):(?P<line>\d+):(?:\d+:)? (?:fatal )?"
                     r"(?:warning|error|note|style|performance|portability|information): (?P<what>.*)$")
ANALYZER = re.compile(r"-Wanalyzer-([\w-]+)")
SPARED_ANALYZER = re.compile(r"analyzer: ([\w-]+): ")


def output(command, cwd, **more):
    """Returns what a command writes, on both channels. How it ends says no more than that."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", errors="replace", check=False, **more)
    return done.stdout


def found_in(text, root, cwd, has_notes=True):
    """Returns the findings in the output of a compiler-like tool, each once; notes explain others."""
    findings = {}
    for line in text.splitlines():
        match = MESSAGE.match(line)
        if match and not (has_notes and ": note: " in line):
            name = os.path.relpath(os.path.join(cwd, match.group("file")), root)
            findings[f"{name}:{match.group('line')}: {match.group('what')}"] = None
    return list(findings)


class Fault:
    """What is planted: `text` at the end of `file`, and the finding that has to come of it."""

    def __init__(self, file, text, finding):
        self.file = file
        self.text = text
        self.finding = finding


class Tool:
    """One tool. A subclass says how it is run; `files` is None for all that it looks at."""

    name = package = looks_for = reads = ""
    version_command = []
    version = ""
    fault = None

    def told_version(self):
        text = output(self.version_command, "/")
        match = re.search(r"\d+(\.\d+)+", text)
        return match.group(0) if match else "none"

    def all_files(self, tree):
        return [name for name in tree.product() if name.endswith(".c")]

    def run(self, tree, files=None):
        raise NotImplementedError


def configure(tree, preset):
    """Configures a preset and returns its folder, or fails with what cmake said."""
    folder = os.path.join(tree.root, "build", preset)
    done = subprocess.run(["cmake", "--preset", preset], cwd=tree.root, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise SystemExit(done.stdout)
    return folder


def commands(folder):
    """Returns {source as seen from the root: (how it is compiled, where, the object)}."""
    with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    root = os.path.dirname(os.path.dirname(folder))
    result = {}
    for entry in entries:
        words = shlex.split(entry["command"])
        while os.path.basename(words[0]) == "ccache":
            words.pop(0)
        result[os.path.relpath(entry["file"], root)] = (
            words, entry["directory"], words[words.index("-o") + 1])
    return result


class Compiler(Tool):
    """Builds a preset, in which every warning is an error; nothing is done where it is built."""

    reads = "every source that is compiled, the tests as well"
    looks_for = "The warnings of CMakeLists.txt, which stop every build."

    def __init__(self, name, package, version, preset):
        self.name = name
        self.package = package
        self.version = version
        self.version_command = [package, "--version"]
        self.preset = preset
        self.fault = Fault("shared/upc.c", "\nint\nupc_half(long number)\n{\n    return number / 2;\n}\n",
                           r"shared/upc\.c:\d+: .*(missing-prototypes|conversion|shorten)")

    def all_files(self, tree):
        return sorted(commands(configure(tree, self.preset)))

    def run(self, tree, files=None):
        folder = configure(tree, self.preset)
        objects = [commands(folder)[name][2] for name in files or []]
        text = output(["cmake", "--build", folder, *sum((["--target", one] for one in objects), []),
                       "--", "-k", "0"], tree.root)
        findings = found_in(text, tree.root, folder)
        if not findings and re.search(r"^(FAILED|ninja: (error|build stopped))", text, re.M):
            findings = ["CMakeLists.txt:1: the build failed: " + text.strip().splitlines()[-1]]
        return findings


class Analyzer(Tool):
    """gcc once more, as the release preset does it, with its own walk through all paths."""

    name = "gcc -fanalyzer"
    package = "gcc"
    version = "12"
    version_command = ["gcc", "--version"]
    reads = "the sources of the programs"
    looks_for = ("Paths on which memory or a file is leaked, freed twice, or used after it is gone, and "
                 "null pointers that are followed.")
    fault = Fault("shared/upc.c", """
#include <stdlib.h>
int
upc_gone(int wanted);
int
upc_gone(int wanted)
{
    int *numbers = malloc(sizeof *numbers);
    if (numbers == NULL || wanted < 0) {
        return -1;
    }
    free(numbers);
    return numbers[0];
}
""", r"shared/upc\.c:\d+: .*-Wanalyzer-use-after-free")

    def run(self, tree, files=None):
        known = commands(configure(tree, "release"))
        sources = [name for name in files or self.all_files(tree) if name in known]

        def analyze(name):
            words, folder, _ = known[name]
            words = [word for word in words if word != "-Werror"]
            words[words.index("-o") + 1] = "/dev/null"
            return found_in(output([*words, "-fanalyzer"], folder), tree.root, folder)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            findings = sum(pool.map(analyze, sources), [])
        return [finding for finding in findings if not self.is_spared(tree, finding)]

    @staticmethod
    def is_spared(tree, finding):
        """Does a comment on its line, or on the one before, spare this kind of finding?"""
        kind = ANALYZER.search(finding)
        name, line, _ = finding.split(":", 2)
        near = tree.lines(name)[max(int(line) - 2, 0):int(line)]
        return kind is not None and kind.group(1) in SPARED_ANALYZER.findall("\n".join(near))


class ClangTidy(Tool):
    name = "clang-tidy"
    package = "clang-tidy"
    version = "14"
    version_command = ["clang-tidy", "--version"]
    reads = "the sources of the programs and their headers"
    looks_for = ("The families bugprone, cert, clang-analyzer, misc, performance, portability and "
                 "readability, less what .clang-tidy takes out.")
    fault = Fault("shared/upc.c", """
int
upc_same(int a, int b);
int
upc_same(int a, int b)
{
    return a == a && b > 0;
}
""", r"shared/upc\.c:\d+: .*misc-redundant-expression")

    def run(self, tree, files=None):
        folder = configure(tree, "clang")

        def look(name):
            return found_in(output(["clang-tidy", "--quiet", "-p", folder, name], tree.root),
                            tree.root, tree.root)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            findings = sum(pool.map(look, files or self.all_files(tree)), [])
        return list(dict.fromkeys(findings))


class Cppcheck(Tool):
    name = "cppcheck"
    package = "cppcheck"
    version = "2.10"
    version_command = ["cppcheck", "--version"]
    reads = "the sources of the programs and their headers"
    looks_for = ("Errors, warnings, style, performance and portability; it also tells when a "
                 "suppression has nothing to suppress any more.")
    fault = Fault("shared/upc.c", """
int
upc_beyond(void);
int
upc_beyond(void)
{
    int digits[12] = {0};
    return digits[12];
}
""", r"shared/upc\.c:\d+: .*\[arrayIndexOutOfBounds\]")

    def run(self, tree, files=None):
        return found_in(output([
            "cppcheck", "--quiet", "--std=c11", "--library=posix", "-I.", "--inline-suppr",
            "--enable=warning,style,performance,portability,information",
            "--suppress=missingInclude",
            "-D_POSIX_C_SOURCE=200809L", "-D_XOPEN_SOURCE=700", "-D_DEFAULT_SOURCE",
            '-DSTOCKBUS_VERSION=""', "--template={file}:{line}: {severity}: {message} [{id}]",
            *(files or self.all_files(tree))], tree.root), tree.root, tree.root)


class ClangFormat(Tool):
    name = "clang-format"
    package = "clang-format"
    version = "14"
    version_command = ["clang-format", "--version"]
    reads = "every C file, the tests as well"
    looks_for = "Text that is not as .clang-format would lay it out."
    fault = Fault("shared/upc.c", "\nint upc_crowded( int a ){return a;}\n",
                  r"shared/upc\.c:\d+: .*clang-format-violations")

    def all_files(self, tree):
        return tree.c()

    def run(self, tree, files=None):
        return found_in(output(["clang-format", "--dry-run", *(files or tree.c())], tree.root),
                        tree.root, tree.root)


class Shellcheck(Tool):
    name = "shellcheck"
    package = "shellcheck"
    version = "0.9"
    version_command = ["shellcheck", "--version"]
    reads = "every shell script"
    looks_for = "Quoting, unset variables, commands whose failure is lost, and what no shell does."
    fault = Fault("script/build", "\ncat $1\n", r"script/build:\d+: .*\[SC2086\]")

    def all_files(self, tree):
        return tree.scripts()

    def run(self, tree, files=None):
        return found_in(output(["shellcheck", "--format=gcc", *(files or tree.scripts())], tree.root),
                        tree.root, tree.root, has_notes=False)


class Pyflakes(Tool):
    name = "pyflakes"
    package = "pyflakes3"
    version = "2.5"
    version_command = ["pyflakes3", "--version"]
    reads = "every Python file"
    looks_for = "Names that are not defined or not used."
    fault = Fault("tests/support/vectors.py", "\nprint(undefined_name)\n",
                  r"tests/support/vectors\.py:\d+: undefined name")

    def all_files(self, tree):
        return tree.python()

    def run(self, tree, files=None):
        text = output(["pyflakes3", *(files or tree.python())], tree.root)
        return ["".join(parts) for parts in re.findall(r"^([^:\n]+:\d+:)\d+:( .*)$", text, re.M)]


class Codespell(Tool):
    name = "codespell"
    package = "codespell"
    version = "2.2"
    version_command = ["codespell", "--version"]
    reads = ("every file but pictures, tables of numbers, the corpora of the fuzz targets, and this page, "
             "which quotes the fault")
    looks_for = "Common typing errors in words."
    fault = Fault("README.md", "\nThe broker " + "recie" + "ves.\n", r"README\.md:\d+: .*receives")

    def all_files(self, tree):
        return [name for name in tree.files
                if not name.endswith((".svg", ".csv", "docs/static-analysis.md"))
                and not name.startswith("tests/fuzz/corpus/")]

    def run(self, tree, files=None):
        text = output(["codespell", "--ignore-words", suppressions.WORDS,
                       *(files or self.all_files(tree))], tree.root)
        return re.findall(r"^[^:\n]+:\d+: .*$", text, re.M)


class Tidy(Tool):
    """The rules of tidy.py; their faults are planted by its own test, one for each rule."""

    name = "tidy"
    package = "python3"
    version = "3.11"
    version_command = ["/usr/bin/python3", "--version"]
    reads = "every C, Python and shell file"
    looks_for = ("The rules of this repository: lengths, direction of includes, what the ledger may "
                 "call, banned calls, headers that stand alone, words, reasons of suppressions.")
    fault = Fault("broker/ledger.c", """
#include <time.h>
long
ledger_now(void)
{
    return time(NULL);
}
""", r"broker/ledger\.c:\d+: the pure part calls time")

    def all_files(self, tree):
        return sorted({*tree.c(), *tree.python(), *tree.scripts()})

    def run(self, tree, files=None):
        return [f"{finding} [{rule}]" for rule, findings in tidy.check(tree).items()
                for finding in findings]


TOOLS = (
    Compiler("gcc", "gcc", "12", "release"),
    Compiler("clang", "clang", "14", "clang"),
    Analyzer(),
    ClangTidy(),
    Cppcheck(),
    ClangFormat(),
    Shellcheck(),
    Pyflakes(),
    Codespell(),
    Tidy(),
)
