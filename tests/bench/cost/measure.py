"""Measures what the bus costs besides the purchases of bus/measure.py. See run."""

import argparse
import csv
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import machine  # noqa: E402, because of the line above
import servers  # noqa: E402

FEW, SOME, MANY = 24, 10_000, 1_000_000
SESSIONS = 100_000
RECORDS = 1_000_000
ORDER_LINES = 10
CONNECTIONS = 64


def arguments():
    parser = argparse.ArgumentParser(prog="script/bench cost")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS),
                        help="of " + ", ".join(PARTS))
    parser.add_argument("--out", default="docs/bench", help="where the results go")
    return parser.parse_args()


class Results:
    """Rows of (part, what, value, unit, at least or most, aim); all values of the rounds in a CSV."""

    def __init__(self):
        self.lines = []
        self.rows = []

    def add(self, part, what, values, unit, least=None, most=None, aim=None):
        values = values if isinstance(values, list) else [values]
        self.rows += [(part, what, unit, number, value)
                      for number, value in enumerate(values, 1)]
        median = statistics.median(values)
        short = (least is not None and median < least) or (most is not None and median > most)
        reached = aim is not None and (median >= aim if least is not None else median <= aim)
        verdict = "" if aim is None else "falls short" if short else \
            "aim reached" if reached else "reached"
        bound = "" if aim is None else f"{'>= ' if least is not None else '<= '}" \
                                       f"{least if least is not None else most:g}, aim {aim:g}"
        spread = f"({show(min(values))} - {show(max(values))})" if len(values) > 1 else ""
        self.lines.append((what, show(median), unit, spread, bound, verdict))
        print(what, show(median), unit, spread, verdict, file=sys.stderr)


def show(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def make_data(bus, items, sessions, orders, segment_mib):
    """Makes the data of `bus`; returns what make_data says."""
    command = [os.path.join(servers.BUILD, "tests", "make_data"), bus.path("data")]
    command += map(str, (items, sessions, orders, segment_mib))
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return json.loads(done.stdout)


def new_bus(folder, name, items, **settings):
    bus = servers.Bus(os.path.join(folder, name), items, **settings)
    return bus


def records(given, results):
    """A record of one order of one line, and the start after a million of them."""
    bus = new_bus(given.folder, "records", FEW)
    made = make_data(bus, FEW, 1, RECORDS, 256)
    size = sum(os.path.getsize(path) for path in glob.glob(bus.path("data", "journal-*")))
    results.add("records", "record of an order of one line", size / RECORDS, "bytes")
    results.add("records", "the turn of that order without disk and network",
                made["seconds"] / RECORDS * 1e6, "us")
    begin = time.monotonic()
    bus.start()
    results.add("records", f"start after {RECORDS:,} records", time.monotonic() - begin, "s",
                most=5, aim=1)
    bus.stop()
    with open(bus.path("log"), encoding="utf-8") as log:
        replayed = re.search(r"(\d+) records? replayed", log.read())
    if int(replayed.group(1)) < RECORDS:
        sys.exit(f"only {replayed.group(1)} records were replayed")
    servers.remove(bus.folder)


def memory(given, results):
    """What the broker holds in memory, started anew on its data."""
    used = {}
    for items, sessions in (FEW, 1), (SOME, 1), (MANY, 1), (FEW, SESSIONS):
        bus = new_bus(given.folder, f"memory-{items}-{sessions}", items)
        make_data(bus, items, sessions, 1, 64)
        bus.start()
        used[items, sessions] = bus.memory_kib() * 1024
        bus.stop()
        servers.remove(bus.folder)
        results.add("memory", f"resident with {items:,} items and {sessions:,} "
                    f"session{'s' if sessions > 1 else ''}", used[items, sessions] / 1e6, "MB")
    results.add("memory", "a further item", (used[MANY, 1] - used[FEW, 1]) / (MANY - FEW),
                "bytes", most=128, aim=64)
    results.add("memory", "a further session",
                (used[FEW, SESSIONS] - used[FEW, 1]) / (SESSIONS - 1), "bytes", most=512, aim=256)


def rates(given, variants):
    """Runs the variants in turn: {name: (server, options)}; returns the results of each."""
    got = {name: [] for name in variants}
    for number in range(1, given.rounds + 1):
        for name, (server, options) in variants.items():
            got[name].append(server.load(**{"connections": CONNECTIONS, "seed": number,
                                            "seconds": given.seconds, "warm_up": 0.4, **options}))
    return got


def ratio(ones, others, key):
    return [one[key] / other[key] for one, other in zip(ones, others)]


def many_items(given, results):
    """Purchases of a million items against those of 24, and a view of ten thousand."""
    few, some, many = (new_bus(given.folder, f"items-{items}", items)
                       for items in (FEW, SOME, MANY))
    try:
        for bus in few, some, many:
            make_data(bus, bus.items, 1, 1, 64)
            bus.start()
        got = rates(given, {"few": (few, {}), "many": (many, {}), "some": (some, {})})
        results.add("items", f"purchases, {FEW} items",
                    [r["per_second"] for r in got["few"]], "/s")
        results.add("items", f"purchases, {MANY:,} items",
                    [r["per_second"] for r in got["many"]], "/s")
        results.add("items", "the latter / the former",
                    ratio(got["many"], got["few"], "per_second"), "", least=0.8, aim=0.95)
        results.add("items", f"view of {SOME:,} items, page by page",
                    [r["count_us"] / 1000 for r in got["some"]], "ms")
        results.add("items", f"view of {MANY:,} items, page by page",
                    [r["count_us"] / 1000 for r in got["many"]], "ms")
    finally:
        for bus in few, some, many:
            bus.stop()
            servers.remove(bus.folder)


def newest_snapshot(bus):
    return max(int(re.search(r"(\d+)\.msgpack", name).group(1))
               for name in glob.glob(bus.path("data", "snapshot-*.msgpack")))


def snapshots(given, results):
    """The same with journals so small that one snapshot follows the other, and with none at all."""
    calm = new_bus(given.folder, "calm", MANY, lanes=16, segment_mib=256)
    busy = new_bus(given.folder, "busy", MANY, lanes=16, segment_mib=1)
    options = {"lines": 20, "seconds": max(given.seconds, 5)}  # long orders fill journals faster
    try:
        for bus in calm, busy:
            make_data(bus, MANY, 1, 1, 64)
            bus.start()
        before = [newest_snapshot(bus) for bus in (calm, busy)]
        got = rates(given, {"calm": (calm, options), "busy": (busy, options)})
        after = [newest_snapshot(bus) for bus in (calm, busy)]
        if after[0] != before[0] or after[1] == before[1]:
            sys.exit(f"newest snapshots: before {before}, after {after}")
        for key, what in ("p99_us", "p99"), ("p999_us", "p99.9"):
            results.add("snapshots", f"{what} of purchases without snapshots",
                        [r[key] / 1000 for r in got["calm"]], "ms")
            results.add("snapshots", f"{what} while snapshots of {MANY:,} items are made",
                        [r[key] / 1000 for r in got["busy"]], "ms")
        results.add("snapshots", "p99 with / without", ratio(got["busy"], got["calm"], "p99_us"),
                    "", most=5, aim=2)
        results.add("snapshots", "p99.9 with / without",
                    ratio(got["busy"], got["calm"], "p999_us"), "")
        results.add("snapshots", "purchases with / without",
                    ratio(got["busy"], got["calm"], "per_second"), "")
    finally:
        for bus in calm, busy:
            bus.stop()
            servers.remove(bus.folder)


def lines(given, results):
    """Orders of ten lines, against Redis with the same script."""
    bus = new_bus(given.folder, "lines", 1000)
    redis = servers.Redis(os.path.join(given.folder, "lines"), 1000)
    try:
        bus.start()
        redis.start()
        got = rates(given, {
            "bus": (bus, {"lines": ORDER_LINES}),
            "redis": (redis, {"lines": ORDER_LINES}),
            "pipelined": (redis, {"pipelined": ORDER_LINES})})
        for name, factor, what in [
                ("bus", ORDER_LINES, f"Stockbus, orders of {ORDER_LINES} lines"),
                ("redis", ORDER_LINES, f"Redis, orders of {ORDER_LINES} lines"),
                ("pipelined", 1, f"Redis, {ORDER_LINES} orders of one line in a pipeline")]:
            results.add("lines", what, [r["per_second"] * factor for r in got[name]], "lines/s")
        results.add("lines", "Stockbus / Redis, orders of the same length",
                    ratio(got["bus"], got["redis"], "per_second"), "")
        results.add("lines", "Stockbus / Redis, its orders in a pipeline",
                    [ORDER_LINES * r for r in ratio(got["bus"], got["pipelined"], "per_second")],
                    "")
    finally:
        bus.stop()
        redis.stop()


def lanes(given, results):
    """Purchases with more and with fewer lanes than the default."""
    counts = [16, 64, 128, 256]
    buses = {count: new_bus(given.folder, f"lanes-{count}", 1000, lanes=count)
             for count in counts}
    try:
        for bus in buses.values():
            bus.start()
        for connections in 16, 64, 256:
            got = rates(given, {count: (bus, {"connections": connections})
                                for count, bus in buses.items()})
            for count in counts:
                results.add("lanes", f"purchases, {connections} connections, {count} lanes / 64",
                            ratio(got[count], got[64], "per_second"), "")
    finally:
        for bus in buses.values():
            bus.stop()
            servers.remove(bus.folder)


PARTS = {"records": records, "memory": memory, "items": many_items, "snapshots": snapshots,
         "lines": lines, "lanes": lanes}


def main():
    given = arguments()
    results = Results()
    for part in given.only:
        PARTS[part](given, results)
    os.makedirs(given.out, exist_ok=True)
    with open(f"{given.out}/cost.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["part", "what", "unit", "round", "value"])
        writer.writerows(results.rows)
    columns = [("", "median", "", "(smallest - largest)", "to reach", ""), *results.lines]
    widths = [max(len(row[i]) for row in columns) for i in range(len(columns[0]))]
    text = "\n".join([
        f"{given.rounds} rounds where there are several figures; loads of {CONNECTIONS} "
        f"connections for {given.seconds:g} s", *machine.describe(["redis-server", "--version"]),
        "", *("  ".join(cell.rjust(width) if i == 1 else cell.ljust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
              for row in columns)]) + "\n"
    with open(f"{given.out}/cost.txt", "w", encoding="utf-8") as file:
        file.write(text)
    print(text, end="")


main()
