"""Runs peers in rounds, one after the other, and reports how many items a second each moved.

usage: report.py NAME ROUNDS PEERS WHAT SETTING ARGUMENT...

PEERS is a file with a line for each peer: name, label, bound, command, separated by tabs. The first
is the one that the others are compared with. A command gets the ARGUMENTs and prints a line: items,
seconds, checksum, and 1 if what each consumer saw of each producer was in order. WHAT is what is
counted, and SETTING says in words what the arguments are.

Writes docs/bench/NAME.csv (each run), NAME.txt (the table) and NAME.svg (the plot), all three or
none: they are written beside and renamed. A peer that
fails or hangs in one round is out. Peers that finish have to agree on items and checksum.
"""

import csv
import os
import statistics
import subprocess
import sys
import tempfile

import matplotlib

import machine

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402, because of the line above

LIMIT_S = 120  # a run that takes longer hangs


class Peer:
    def __init__(self, line):
        self.name, self.label, self.bound, self.command = line.rstrip("\n").split("\t")
        self.rates = []
        self.ordered = True
        self.failure = None

    def run(self, arguments):
        """One run; returns (items, seconds, checksum, ordered), or None when it is out."""
        try:
            done = subprocess.run(self.command.split() + arguments, stdout=subprocess.PIPE,
                                  timeout=LIMIT_S, check=True, encoding="utf-8")
        except subprocess.TimeoutExpired:
            self.failure = f"did not finish within {LIMIT_S} s"
            return None
        except subprocess.CalledProcessError as error:
            self.failure = f"failed with status {error.returncode}"
            return None
        items, seconds, checksum, ordered = done.stdout.split()
        self.rates.append(int(items) / float(seconds))
        self.ordered = self.ordered and ordered == "1"
        return int(items), float(seconds), checksum, ordered


def measure(peers, rounds, arguments, path):
    expected = None
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["round", "peer", "items", "seconds", "checksum", "ordered"])
        for number in range(1, rounds + 1):
            # Each round begins with another peer, so that none is always behind the same one.
            for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
                if peer.failure:
                    continue
                result = peer.run(arguments)
                if result is None:
                    continue
                expected = expected or (result[0], result[2])
                if expected != (result[0], result[2]):
                    sys.exit(f"report.py: {peer.name}: {result[0]} items with checksum "
                             f"{result[2]}, but others had {expected}")
                writer.writerow([number, peer.name, *result])
                file.flush()
            print(f"round {number} of {rounds}", file=sys.stderr)


def spread(numbers, form):
    return (f"{format(statistics.median(numbers), form)} "
            f"({format(min(numbers), form)} - {format(max(numbers), form)})")


def table(peers, what, setting, rounds):
    reference = peers[0]
    tools = ["cc", "java", "rustc", "/usr/bin/python3"]
    lines = [setting, f"{rounds} interleaved rounds; median (smallest - largest)",
             *machine.describe(*([tool, "--version"] for tool in tools)), ""]
    rows = [("", "bound", "in order", f"million {what}/s", "ratio of medians", "ratio, each round")]
    for peer in peers:
        if peer.failure:
            rows.append((peer.label, peer.bound, "", peer.failure, "", ""))
            continue
        ratios = [ours / theirs for ours, theirs in zip(reference.rates, peer.rates)]
        rows.append((peer.label, peer.bound, "yes" if peer.ordered else "no",
                     spread([rate / 1e6 for rate in peer.rates], ".2f"),
                     format(statistics.median(reference.rates) / statistics.median(peer.rates),
                            ".2f"), spread(ratios, ".2f")))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    lines += ["", f"A ratio says how many times as fast \"{reference.label}\" was.",
              "In order: each consumer saw the items of each producer in their order, in every run."]
    return "\n".join(lines) + "\n"


def plot(peers, what, setting, path):
    shown = sorted((peer for peer in peers if not peer.failure),
                   key=lambda peer: statistics.median(peer.rates))
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "stockbus",
                                "font.family": "sans-serif", "font.size": 10})
    figure, axes = pyplot.subplots(figsize=(8, 0.9 + 0.42 * len(shown)))
    medians = [statistics.median(peer.rates) / 1e6 for peer in shown]
    colors = ["#2f6f9f" if peer in peers[:1] else "#b8c7d3" for peer in shown]
    axes.barh([peer.label for peer in shown], medians, color=colors, height=0.62)
    for row, peer in enumerate(shown):
        rates = [rate / 1e6 for rate in peer.rates]
        axes.plot(rates, [row] * len(rates), "|", color="#333333", markersize=9, alpha=0.7)
        axes.annotate(f"{medians[row]:.2f}", (max(rates), row), xytext=(6, 0),
                      textcoords="offset points", va="center", fontsize=9)
    axes.set_xlabel(f"million {what} a second: median, and a mark for each round")
    figure.suptitle(setting, x=0.01, ha="left", fontsize=9)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.06)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    name, rounds, peers_path, what, setting, *arguments = sys.argv[1:]
    os.makedirs("docs/bench", exist_ok=True)
    with open(peers_path, encoding="utf-8") as file:
        peers = [Peer(line) for line in file]
    with tempfile.TemporaryDirectory(prefix=".new-", dir="docs/bench") as beside:
        measure(peers, int(rounds), arguments, f"{beside}/{name}.csv")
        if peers[0].failure:
            sys.exit(f"report.py: {peers[0].name} {peers[0].failure}")
        text = table(peers, what, setting, int(rounds))
        with open(f"{beside}/{name}.txt", "w", encoding="utf-8") as file:
            file.write(text)
        plot(peers, what, setting, f"{beside}/{name}.svg")
        for kind in "csv", "txt", "svg":
            os.replace(f"{beside}/{name}.{kind}", f"docs/bench/{name}.{kind}")
    print(text, end="")


main()
