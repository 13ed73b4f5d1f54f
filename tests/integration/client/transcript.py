"""Examples as they stand in documents, `$ COMMAND` and what it prints, run and compared.

What must vary from run to run is hidden on both sides; a line `…` stands for any number of lines.
"""

import os
import re
import subprocess

import broker
from client_support import without_waits

VARIABLE = [
    (r"(?<=127\.0\.0\.1:)\d+", "PORT"),
    (r"answers after [0-9.]+ ms", "answers after N ms"),
    (r"^(time|waits|list): .*", r"\1: N"),  # of readings: times, and what depends on them
    (r"^( +\d+) +\d+(  \S*consumer-\d+\.msgpack)", r"\1 N\2"),
    (r"^(/\S*consumer-\d+\.msgpack: )\d+", r"\1N"),
    (r"^seed: \d+ \(", "seed: N ("),
    (r"^([a-z0-9_.]+)\t\d+$", r"\1\tN"),  # of stats
    (r"^public key: \S{40}$", "public key: KEY"),
    (r"history [0-9a-f]{16}", "history HISTORY"),
]
MARK = "=== next"


def hide(text):
    for pattern, name in VARIABLE:
        text = re.sub(pattern, name, text, flags=re.M)
    return text


def is_complete(command):
    """Would bash wait for more of it?"""
    return subprocess.run(["bash", "-n", "-c", command], stderr=subprocess.DEVNULL).returncode == 0


def parse(text):
    """[command, what it prints] of each example, in order."""
    examples = []
    for line in text.splitlines():
        if line.startswith("$ "):
            examples.append([line[2:], ""])
        elif not is_complete(examples[-1][0]):
            examples[-1][0] += "\n" + line
        else:
            examples[-1][1] += line + "\n"
    # An empty line between one example and the next is for the reader.
    return [[command, re.sub(r"\n\n\Z", "\n", printed)] for command, printed in examples]


def matches(expected, shown):
    pieces = map(re.escape, re.split(r"^…\n", hide(expected), flags=re.M))
    return re.fullmatch("(?:.*\n)*".join(pieces), hide(shown)) is not None


def run(case, served, commands, **environment):
    """Runs commands in one shell with a state of its own; returns what each of them prints."""
    state = served.directory + "-client"
    places = {":5570": f":{served.port}", "/tmp/": case.home + "/tmp/",
              "/var/lib/stockbus": served.data, "~/.local/state/stockbus": state}
    os.makedirs(os.path.join(case.home, "tmp"), exist_ok=True)
    if not os.path.exists(os.path.join(case.home, "conf")):
        os.symlink(broker.CONF, os.path.join(case.home, "conf"))
    script = "exec 2>&1\n" + "".join(f"{command}\necho '{MARK}'\n" for command in commands)
    for place, here in places.items():
        script = script.replace(place, here)
    done = subprocess.run(
        ["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8",
        cwd=case.home, timeout=broker.PATIENCE_S, preexec_fn=broker.die_with_parent,
        env={**case.environment, "PATH": f"{broker.BIN}:{os.environ['PATH']}",
             "STOCK_ENDPOINT": served.endpoint, "STOCK_STATE": state, **environment})
    printed = without_waits(done.stdout)
    for place, here in places.items():
        printed = printed.replace(here, place)
    printed = printed.split(MARK + "\n")
    case.assertEqual(len(printed), len(commands) + 1, done)
    case.assertEqual(printed.pop(), "")
    return printed


def without_tabs(text):
    """As a page shows it, where a tab is some spaces."""
    return re.sub(r"[\t ]+", " ", text)


def check(case, served, examples, name, tabs=True, **environment):
    """Runs examples; each has to print what it says, where `tabs` is false in columns of any width."""
    case.assertTrue(examples, name)
    printed = run(case, served, [command for command, _ in examples], **environment)
    for (command, expected), shown in zip(examples, printed):
        same = matches(expected, shown) if tabs else matches(without_tabs(expected), without_tabs(shown))
        case.assertTrue(same,
                        f"{name}: $ {command}\nshould print:\n{expected}\nbut prints:\n{shown}")
