"""Measures the bus and its peers in turn, and writes table, figures and plot. See run."""

import argparse
import csv
import glob
import os
import statistics
import sys

import matplotlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import machine  # noqa: E402, because of the line above
import servers  # noqa: E402

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402, because of the line above

ITEMS = 1000  # so many that PostgreSQL's row locks do not decide
CONNECTIONS = [1, 16, 64, 256]
MIXES = {0: "purchases", 80: "80 % views, 20 % purchases"}
FIGURES = ["per_second", "p50_us", "p99_us", "p999_us"]
# What the ratios of purchases have to be: peer, connections, at least, aim.
TARGETS = [("redis", 1, 0.85, 1.0), ("redis", 16, 1.4, 2.0), ("redis", 64, 1.2, 2.0),
           ("statement", 64, 4, 6), ("echo", 64, 0.5, 0.9)]


def numbers(text):
    return [int(part) for part in text.split(",")]


def arguments():
    parser = argparse.ArgumentParser(prog="script/bench bus")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--warm-up", type=float, default=0.4)
    parser.add_argument("--only", type=numbers, default=CONNECTIONS, help="these connections")
    parser.add_argument("--mixes", type=numbers, default=list(MIXES), help="percents of views")
    parser.add_argument("--peers", help="only these")
    parser.add_argument("--out", default="docs/bench", help="where the results go")
    return parser.parse_args()


def all_peers(folder):
    statement = servers.Postgres(folder, ITEMS)
    return [servers.Bus(folder, ITEMS), servers.Redis(folder, ITEMS), statement,
            servers.PostgresTransaction(statement), servers.Echo(folder, ITEMS),
            servers.RedisMemory(folder, ITEMS), servers.Pickle(folder, ITEMS)]


def measure(peers, given, path):
    """Returns {(peer, views, connections): [result of each round]}, and writes each to `path`."""
    results = {}
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["round", "peer", "views", "connections", "replies", *FIGURES])
        for number in range(1, given.rounds + 1):
            for connections in given.only:
                for views in given.mixes:
                    for peer in peers:
                        if peer.name == "echo" and views:
                            continue  # it has but one sort of request
                        result = peer.load(connections=connections, views=views, seed=number,
                                           seconds=given.seconds, warm_up=given.warm_up)
                        results.setdefault((peer.name, views, connections), []).append(result)
                        writer.writerow([number, peer.name, views, connections,
                                         result["replies"], *(result[key] for key in FIGURES)])
                        file.flush()
            print(f"round {number} of {given.rounds}", file=sys.stderr)
    return results


def spread(values, form):
    return (f"{statistics.median(values):{form}} ({min(values):{form}} - {max(values):{form}})")


def ratios(results, peer, views, connections):
    """Ours to the peer's, round by round."""
    ours = results.get(("bus", views, connections), [])
    theirs = results.get((peer, 0 if peer == "echo" else views, connections), [])
    return [a["per_second"] / b["per_second"] for a, b in zip(ours, theirs)]


def layout(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in rows]


def table(results, peers, views, connections):
    rows = [("", "durable", "replies/s", "p50 ms", "p99 ms", "p99.9 ms", "Stockbus / it",
             "round by round")]
    for peer in peers:
        rounds = results.get((peer.name, views, connections))
        if rounds is None:
            continue
        late = [f"{statistics.median(r[key] for r in rounds) / 1000:.2f}"
                for key in FIGURES[1:]]
        shares = ratios(results, peer.name, views, connections)
        shown = peer.name != "bus" and shares
        rows.append((peer.label, "yes" if peer.durable else "no",
                     spread([r["per_second"] for r in rounds], ",.0f"), *late,
                     f"{statistics.median(shares):.2f}" if shown else "",
                     " ".join(f"{share:.2f}" for share in shares) if shown else ""))
    return [f"{MIXES.get(views, f'{views} % views')}, {connections} "
            f"connection{'s' if connections > 1 else ''}", "", *layout(rows), ""]


def targets(results):
    rows = [("purchases of Stockbus / of", "connections", "at least", "aim", "median", "")]
    for peer, connections, least, aim in TARGETS:
        shares = ratios(results, peer, 0, connections)
        if shares:
            median = statistics.median(shares)
            rows.append((peer, str(connections), f"{least:.2f}", f"{aim:.2f}", f"{median:.2f}",
                         "falls short" if median < least else
                         "reached" if median < aim else "aim reached"))
    return layout(rows) + [""] if len(rows) > 1 else []


def text(results, peers, given):
    postgres = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))[-1]
    lines = [f"{given.rounds} rounds, in each of them one after the other for {given.seconds:g} s; "
             "median (smallest - largest)",
             f"{ITEMS} items, an order is one line of one unit; the load generator runs on the "
             "same machine",
             *machine.describe(["redis-server", "--version"], [postgres, "--version"],
                               ["/usr/bin/python3", "--version"]), ""]
    lines += targets(results)
    for views in given.mixes:
        for connections in given.only:
            lines += table(results, peers, views, connections)
    lines += ["Times are those of the request in the middle of a round, in the middle of rounds.",
              "A ratio is that of two measurements of one round; above 1 Stockbus was faster.",
              "Each run checked every reply, and at its end that the units sold are missing."]
    return "\n".join(lines) + "\n"


def plot(results, peers, given, path):
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "stockbus",
                                "font.family": "sans-serif", "font.size": 9})
    figure, axes = pyplot.subplots(len(given.mixes), len(given.only), squeeze=False, sharey="row",
                                   figsize=(1.5 + 2.9 * len(given.only), 3.1 * len(given.mixes)))
    for row, views in enumerate(given.mixes):
        shown = [peer for peer in peers if (peer.name, views, given.only[0]) in results][::-1]
        for column, connections in enumerate(given.only):
            plot_cell(axes[row][column], results, shown, views, connections)
            axes[row][column].set_title(
                f"{MIXES.get(views, views)}\n{connections} connection"
                f"{'s' if connections > 1 else ''}", fontsize=8, loc="left")
            axes[row][column].set_xlabel("thousand replies a second", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def plot_cell(axes, results, peers, views, connections):
    for row, peer in enumerate(peers):
        rates = [r["per_second"] / 1000 for r in results[(peer.name, views, connections)]]
        color = "#2f6f9f" if peer.name == "bus" else "#7f9db3" if peer.durable else "#dde4ea"
        axes.barh(row, statistics.median(rates), color=color, height=0.62)
        axes.plot(rates, [row] * len(rates), "|", color="#333333", markersize=7, alpha=0.7)
        axes.annotate(f"{statistics.median(rates):.1f}", (max(rates), row), xytext=(5, 0),
                      textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(peers)), [peer.label for peer in peers])
    axes.set_xlim(0, axes.get_xlim()[1] * 1.15)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)


def main():
    given = arguments()
    peers = all_peers(given.folder)
    if given.peers:
        wanted = given.peers.split(",")
        peers = [peer for peer in peers if peer.name in wanted
                 or (peer.name == "statement" and "transaction" in wanted)]
    os.makedirs(given.out, exist_ok=True)
    try:
        for peer in peers:
            peer.start()
        results = measure(peers, given, f"{given.out}/bus.csv")
    finally:
        for peer in peers:
            peer.stop()
    told = text(results, peers, given)
    with open(f"{given.out}/bus.txt", "w", encoding="utf-8") as file:
        file.write(told)
    plot(results, peers, given, f"{given.out}/bus.svg")
    print(told, end="")


main()
