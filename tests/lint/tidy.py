"""The rules of the house that no compiler knows, each a function from a tree to findings.

A finding is "file:line: what is wrong". A line may be spared with a comment on it or on the one
before, `tidy: RULE: reason`, where RULE is the name of the function.
"""

import ast
import collections
import concurrent.futures
import os
import re
import subprocess
import sys

import suppressions
from sources import PRODUCT, Tree, functions, includes, without_comments

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 600

# What each folder may include of the others; one file reads the data of both sides.
MAY_INCLUDE = {
    "shared": {"shared"},
    "broker": {"broker", "shared"},
    "client": {"client", "shared"},
    "pipeline": {"pipeline", "shared"},
}
READS_BOTH_SIDES = "broker/fsck_client.c"
OF_SHARED_FOR_PIPELINE = {"error", "files", "guard", "limits", "pack", "usage"}
NOT_FOR_PIPELINE = re.compile(r"zmq|czmq|glib|tbb|mqueue|ck_", re.I)

# The state machine: what it may include and, of what is not ours, call.
PURE = r"broker/(ledger|stock|sessions|event|index)\.[ch]"
PURE_INCLUDES = re.compile(
    r"broker/(ledger|stock|sessions|event|index)\.h|shared/(array|error|guard|limits|pack|protocol|"
    r"upc|attributes)\.h|msgpack\.h|sodium\.h|(assert|inttypes|stdbool|stddef|stdint|stdio|stdlib|"
    r"string)\.h")
PURE_CALLS = re.compile(
    r"assert|static_assert|malloc|calloc|realloc|free|mem(cpy|move|set|cmp)|str(len|cmp|ncmp)|"
    r"snprintf|qsort|bsearch|sodium_mem(cmp|zero)|crypto_(generichash|shorthash)|msgpack_pack_\w+|"
    r"__attribute__")
NOT_CALLS = {"if", "for", "while", "switch", "return", "sizeof", "defined"}

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|atoi|atol|atoll|atof|strtok|system|"
    r"popen|rand|srand|tmpnam|mktemp|alloca)\s*\(")
SLEEP = re.compile(r"(?<!\w)(?:sleep|usleep|nanosleep|clock_nanosleep)\s*\(")

# Words of making the thing, not of the thing. In each a letter is in brackets, so that this
# list does not find itself.
NO_PLACE = [re.compile(pattern, re.I) for pattern in (
    r"(?-i:\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b)",
    r"(?<![\w.])/w[o]rk/", r"\b[i]ssue\s*(#|no\.?|number)?\s*\d", r"\b[p]ull request",
    r"\bw[o]rktree", r"\bw[o]rkplace", r"\bsub-?a[g]ent", r"\ba[g]entic", r"\blanguage m[o]del",
    r"\bC[l]aude\b", r"\bG[P]T\b", r"\bL[L]M\b", r"\bC[E]O\b", r"\bco-?a[u]thored",
    r"\bas [r]equested\b", r"\bdeb\.debian\.o[r]g", r"\bregistry\.npmjs\.o[r]g",
    r"\bproxy\.g[o]lang\.org", r"\bpypi\.o[r]g",
)]
PICTURE = re.compile(r".*\.(svg|csv)")

STAND_ALONE_FLAGS = [
    "gcc", "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-D_POSIX_C_SOURCE=200809L",
    "-D_XOPEN_SOURCE=700", "-D_DEFAULT_SOURCE", '-DSTOCKBUS_VERSION=""', "-I.", "-Itests", "-x", "c"]


def long_functions(tree):
    for name in tree.c():
        for function, line, count in functions(tree.text(name)):
            if count > FUNCTION_LINES_MAX:
                yield f"{name}:{line}: {function} has {count} lines"
    for name in tree.python():
        for node in ast.walk(ast.parse(tree.text(name))):
            if isinstance(node, ast.FunctionDef):
                count = node.end_lineno - node.lineno + 1
                if count > FUNCTION_LINES_MAX:
                    yield f"{name}:{node.lineno}: {node.name} has {count} lines"


def long_files(tree):
    for name in tree.c() + tree.python() + tree.scripts():
        count = len(tree.lines(name))
        if count > FILE_LINES_MAX:
            yield f"{name}:{count}: the file has {count} lines"


def direction(tree):
    """Includes against the direction of the design."""
    for name in tree.product():
        folder = name.split("/")[0]
        for included, line, is_quoted in includes(tree.text(name)):
            of = included.split("/")[0]
            wrong = is_quoted and of in PRODUCT and of not in MAY_INCLUDE[folder]
            if name == READS_BOTH_SIDES and of == "client":
                wrong = False
            if folder == "pipeline":
                wrong = wrong or NOT_FOR_PIPELINE.search(included) or of == "shared" and \
                    included[len("shared/"):-len(".h")] not in OF_SHARED_FOR_PIPELINE
            if wrong:
                yield f"{name}:{line}: {folder}/ includes {included}"


def include_graph(tree):
    """Returns {file: [files it includes]} of the product's own files."""
    return {name: [included for included, _, is_quoted in includes(tree.text(name))
                   if is_quoted and included in tree.files] for name in tree.product()}


def cycles(tree):
    """Headers that include each other round in a circle."""
    graph = include_graph(tree)
    done = set()

    def walk(name, path):
        if name in path:
            yield f"{name}:1: includes itself: " + " > ".join(path[path.index(name):] + [name])
        elif name not in done:
            for included in graph.get(name, []):
                yield from walk(included, path + [name])
            done.add(name)

    for name in graph:
        yield from walk(name, [])


def pure(tree):
    """The ledger and what it stands on know no file, socket, clock or chance."""
    product = "".join(without_comments(tree.text(name)) for name in tree.product())
    ours = set(re.findall(r"^([a-z_]\w*)\(", product, re.M))
    for name in tree.select(PURE):
        text = tree.text(name)
        for included, line, _ in includes(text):
            if not PURE_INCLUDES.fullmatch(included):
                yield f"{name}:{line}: the pure part includes {included}"
        for number, line in enumerate(without_comments(text).splitlines(), 1):
            for called in re.findall(r"(?<![\w.>])([a-z_]\w*)\(", line):
                if called not in ours | NOT_CALLS and not PURE_CALLS.fullmatch(called):
                    yield f"{name}:{number}: the pure part calls {called}"


def banned_calls(tree):
    for name in tree.c():
        for number, line in enumerate(without_comments(tree.text(name)).splitlines(), 1):
            for match in BANNED.finditer(line):
                yield f"{name}:{number}: {match.group(1)} is banned"


def sleep(tree):
    """Tests wait for what they want to see, with a deadline, not for time to pass."""
    for name in tree.select(r"tests/.*\.(c|h|py)"):
        if name.startswith("tests/lint/") or name.startswith("tests/bench/"):
            continue
        text = tree.text(name)
        text = without_comments(text) if name.endswith(("c", "h")) else text
        for number, line in enumerate(text.splitlines(), 1):
            if SLEEP.search(line):
                yield f"{name}:{number}: sleeps"


def stand_alone(tree):
    """Headers that need another one included before them."""
    def compile_one(name):
        done = subprocess.run(STAND_ALONE_FLAGS + ["-"], cwd=tree.root, input=f'#include "{name}"\n',
                              stderr=subprocess.PIPE, encoding="utf-8", check=False)
        if done.returncode != 0:
            first = re.search(r"error: (.*)", done.stderr)
            return [f"{name}:1: does not stand alone: {first.group(1) if first else done.stderr}"]
        return []

    headers = [name for name in tree.files
               if name.endswith(".h") and not name.startswith("tests/bench/")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(compile_one, headers):
            yield from found


def guards(tree):
    """A header's guard is its path."""
    for name in tree.product():
        if name.endswith(".h"):
            guard = "STOCKBUS_" + re.sub(r"\W", "_", name).upper()
            if f"#ifndef {guard}\n#define {guard}\n" not in tree.text(name):
                yield f"{name}:1: is not guarded by {guard}"


def own_header_first(tree):
    for name in tree.product():
        own = name[:-1] + "h"
        if name.endswith(".c") and own in tree.files:
            first = next(includes(tree.text(name)), ("nothing", 1, True))
            if first[0] != own:
                yield f"{name}:{first[1]}: includes {first[0]} before {own}"


def words(tree):
    for name in tree.files:
        if not PICTURE.fullmatch(name):
            for number, line in enumerate(tree.lines(name), 1):
                for pattern in NO_PLACE:
                    match = pattern.search(line)
                    if match:
                        yield f"{name}:{number}: '{match.group(0)}' does not belong here"


def architecture(tree):
    """Names in docs/architecture.md that are no longer those of files, functions and structs."""
    name = "docs/architecture.md"
    product = "".join(tree.text(one) for one in tree.product())
    defined = {function for one in tree.product() for function, _, _ in functions(tree.text(one))}
    basenames = {os.path.basename(one) for one in tree.files}
    for number, line in enumerate(tree.lines(name) if name in tree.files else [], 1):
        for code in re.findall(r"`([^`]+)`", line):
            function = re.fullmatch(r"(\w+)\(\)", code)
            missing = function and function.group(1) not in defined
            if re.fullmatch(r"[\w./]+\.(c|h|py|md)", code):
                missing = code not in (tree.files if "/" in code else basenames)
            if code.startswith("struct "):
                missing = f"\n{code} {{" not in product
            if missing:
                yield f"{name}:{number}: there is no {code}"


def reasons(tree):
    """Suppressions that do not say why."""
    yield from suppressions.without_reason(tree)


RULES = (long_functions, long_files, direction, cycles, pure, banned_calls, sleep, stand_alone,
         guards, own_header_first, words, architecture, reasons)
SPARED = re.compile(r"tidy: (\w+): (\S.*?)(?:\s*\*/)?$")


def spared(tree):
    """Returns {(file, line, rule)} of the places that a comment spares; both lines it covers."""
    places = set()
    for name in tree.files:
        if name.endswith((".c", ".h", ".py")):
            for number, line in enumerate(tree.lines(name), 1):
                match = SPARED.search(line)
                if match:
                    places |= {(name, number, match.group(1)), (name, number + 1, match.group(1))}
    return places


def check(tree, rules=RULES):
    """Returns {name of a rule: its findings}."""
    allowed = spared(tree)
    found = collections.OrderedDict()
    for rule in rules:
        kept = []
        for finding in rule(tree):
            name, line, _ = finding.split(":", 2)
            if (name, int(line), rule.__name__) not in allowed:
                kept.append(finding)
        found[rule.__name__] = kept
    return found


if __name__ == "__main__":
    findings = [f"{finding} [{rule}]" for rule, some in check(Tree(os.getcwd())).items()
                for finding in some]
    print("\n".join(findings))
    sys.exit(1 if findings else 0)
