"""Samples a loaded broker with perf and sums the samples up. See run."""

import collections
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import machine  # noqa: E402, because of the line above
import servers  # noqa: E402

CONNECTIONS = 64
WARM_UP_S = 0.5
THREADS = {"stockd": "loop", "ZMQbg/IO/0": "libzmq's I/O thread", "ZMQbg/Reaper": "libzmq's reaper"}
OURS = ("stockd",)


def record(bus, folder, seconds):
    """Runs the load, with perf in the middle of it; returns what the load says."""
    results = []
    load = threading.Thread(target=lambda: results.append(
        bus.load(connections=CONNECTIONS, seconds=seconds + 1, warm_up=WARM_UP_S)))
    load.start()
    time.sleep(2 * WARM_UP_S)
    subprocess.run(["perf", "record", "-q", "-g", "-F", "1999", "-p", str(bus.process.pid), "-o",
                    f"{folder}/perf.data", "--", "sleep", str(seconds)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    load.join()
    return results[0]


def samples(folder):
    """Yields (thread, frames), a frame being (function, library), the innermost first."""
    text = subprocess.run(["perf", "script", "-i", f"{folder}/perf.data", "-F", "comm,ip,sym,dso"],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          encoding="utf-8", errors="replace").stdout
    for block in text.split("\n\n"):
        lines = block.strip("\n").split("\n")
        frames = []
        for line in lines[1:]:
            words = line.split()
            if len(words) >= 3:
                frames.append((words[1].split("+")[0], os.path.basename(words[-1].strip("()"))))
        if frames:
            yield lines[0].strip(), frames


def place(frames):
    """The system call that a sample is in, or the library."""
    function, library = frames[0]
    if not library.startswith("[kernel"):
        return library.split(".so")[0]
    for name, _ in frames:
        if name.startswith("__x64_sys_"):
            return name[len("__x64_sys_"):] + "()"
    return "kernel, the rest"


def summary(folder):
    places = collections.Counter()
    functions = collections.Counter()
    for thread, frames in samples(folder):
        places[THREADS.get(thread, "other threads"), place(frames)] += 1
        if frames[0][1] in OURS:
            functions[frames[0][0]] += 1
    total = sum(places.values())
    lines = []
    for thread in dict.fromkeys(thread for (thread, _), _ in places.most_common()):
        own = {where: count for (who, where), count in places.items() if who == thread}
        lines.append(f"{sum(own.values()) / total:6.1%}  {thread}")
        for where, count in sorted(own.items(), key=lambda item: -item[1]):
            if count / total >= 0.003:
                lines.append(f"        {count / total:6.1%}  {where}")
    lines += ["", "functions of our own:"]
    lines += [f"        {count / total:6.1%}  {name}" for name, count in functions.most_common(10)]
    return lines


def main():
    folder, seconds = sys.argv[1], float(sys.argv[2])
    bus = servers.Bus(folder, 1000)
    try:
        bus.start()
        result = record(bus, folder, seconds)
    finally:
        bus.stop()
    lines = [f"stockd under purchases of {CONNECTIONS} connections: where its processor time goes, "
             "sampled by perf",
             f"{result['per_second']:,.0f} purchases/s, "
             f"{result['units_sold'] / max(1, result['records']):.1f} of them a turn and a sync",
             *machine.describe(["perf", "--version"]), "", *summary(folder)]
    os.makedirs("docs/bench", exist_ok=True)
    text = "\n".join(lines) + "\n"
    with open("docs/bench/profile.txt", "w", encoding="utf-8") as file:
        file.write(text)
    print(text, end="")


main()
