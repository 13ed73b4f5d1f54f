"""What script/fuzz does once the targets are built; see there."""

import argparse
import collections
import concurrent.futures
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ["STOCKBUS_SOURCE"]
PROGRAMS = os.path.join(SOURCE, "build", "fuzz", "tests")
PROGRAMS_COVERAGE = os.path.join(SOURCE, "build", "fuzz-coverage", "tests")
WORK = os.path.join(SOURCE, "build", "fuzz", "work")
FINDINGS = os.path.join(SOURCE, "build", "fuzz", "findings")
CORPUS = os.path.join(SOURCE, "tests", "fuzz", "corpus")
SEEDS = os.path.join(SOURCE, "tests", "fuzz", "seeds.py")
FIGURES = os.path.join(SOURCE, "docs", "fuzzing.csv")
PAGE = os.path.join(SOURCE, "docs", "fuzzing.md")

CORPUS_SIZE_MAX = 4000  # bytes of one file of a corpus
RSS_MAX_MIB = 1024
INPUT_SECONDS_MAX = 120  # much more than any takes, also at the lowest priority
PLANTED_RUNS_MAX = 10000000

Target = collections.namedtuple("Target", "size_max sources")
TARGETS = {
    "request": Target(65536, ["shared/request.c", "shared/guard.c", "shared/pack.c",
                              "shared/protocol.c"]),
    "reply": Target(65536, ["shared/reply.c", "shared/guard.c", "shared/pack.c",
                            "shared/protocol.c"]),
    "journal": Target(8192, ["shared/journal.c", "broker/event.c"]),
    "snapshot": Target(8192, ["shared/snapshot.c", "broker/image.c", "broker/stock.c",
                              "broker/sessions.c"]),
    "client": Target(8192, ["client/local_record.c", "client/local_record_apply.c",
                            "client/local_state.c"]),
    "configuration": Target(4096, ["shared/settings.c", "broker/config.c", "broker/lines.c",
                                   "broker/catalog.c", "broker/passhash.c", "client/profile.c"]),
    "readings": Target(8192, ["pipeline/reading_stream.c", "pipeline/reading.c"]),
}
COLUMNS = ["target", "runs", "seconds", "cpu_seconds", "findings", "files", "bytes", "lines",
           "lines_covered", "planted_runs"]

BEGIN = "<!-- written by script/fuzz --record -->\n"
END = "<!-- end -->\n"


def environment():
    """Variables for a program with sanitizers: a small quarantine, so that memory stays small."""
    return dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=16")


def program(name, folder=PROGRAMS):
    return os.path.join(folder, "fuzz-" + name)


def statistic(log, name):
    """A number that libFuzzer tells at its end, 0 where it does not."""
    found = re.search(rf"stat::{name}:\s+(\d+)", log)
    return int(found.group(1)) if found else 0


class Children:
    """The processes under way, so that a signal ends them and what they have found is kept."""

    def __init__(self):
        self.pids = set()
        self.is_over = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.end)

    def end(self, *_):
        """Ends all; libFuzzer then tells its figures."""
        self.is_over = True
        for pid in list(self.pids):
            os.kill(pid, signal.SIGINT)

    def run(self, command, log_path):
        """Runs a command into a log. Returns status, output, and what it used of a processor."""
        with open(log_path, "wb") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     env=environment(), start_new_session=True)
        self.pids.add(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        self.pids.discard(child.pid)
        child.returncode = os.waitstatus_to_exitcode(status)
        with open(log_path, encoding="utf-8", errors="replace") as log:
            return child.returncode, log.read(), usage.ru_utime + usage.ru_stime


def fuzz(name, options, children):
    """Runs one target from its corpus. Returns its figures."""
    work = os.path.join(WORK, name)
    os.makedirs(work, exist_ok=True)
    if children.is_over:
        return {}
    before = set(os.listdir(FINDINGS))
    began = time.monotonic()
    _, log, cpu = children.run(
        [program(name), f"-max_total_time={options.seconds}",
         f"-max_len={TARGETS[name].size_max}", f"-rss_limit_mb={RSS_MAX_MIB}",
         f"-timeout={INPUT_SECONDS_MAX}", f"-artifact_prefix={FINDINGS}/{name}-",
         "-print_final_stats=1", work, os.path.join(CORPUS, name)],
        os.path.join(WORK, name + ".log"))
    seconds = time.monotonic() - began
    runs = statistic(log, "number_of_executed_units")
    found = [file for file in os.listdir(FINDINGS)
             if file not in before and file.startswith(name + "-")]
    print(f"{name:14} {runs:>12,} runs in {seconds:,.0f} s, {cpu:,.0f} s of a processor: "
          f"{len(found)} findings", flush=True)
    for file in found:
        print("    " + os.path.join(FINDINGS, file), flush=True)
    return {"runs": runs, "seconds": round(seconds), "cpu_seconds": round(cpu),
            "findings": len(found)}


def make_seeds(folder):
    subprocess.run(["/usr/bin/python3", "-B", SEEDS, program("seeds"), folder], check=True)


def passes(name, path):
    """Does the target pass on one file?"""
    return subprocess.run([program(name), path], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=environment(), check=False).returncode == 0


def find_planted(name, _options, children):
    """Runs the target with its fault from those seeds that do not show it."""
    planted = name + "-planted"
    with tempfile.TemporaryDirectory() as folder:
        make_seeds(folder)
        seeds = os.path.join(folder, name)
        for file in os.listdir(seeds):
            if not passes(planted, os.path.join(seeds, file)):
                os.remove(os.path.join(seeds, file))
        status, log, _ = children.run(
            [program(planted), "-seed=1", f"-runs={PLANTED_RUNS_MAX}",
             f"-max_len={TARGETS[name].size_max}", f"-artifact_prefix={folder}/",
             "-print_final_stats=1", seeds], os.path.join(WORK, planted + ".log"))
    runs = statistic(log, "number_of_executed_units") if status != 0 else 0
    print(f"{name:14} " + (f"found after {runs:,} runs" if runs else "NOT FOUND"), flush=True)
    return {"planted_runs": runs}


def cover(name, _options, _children):
    """Counts the lines of the target's sources that its corpus reaches."""
    binary = program(name, PROGRAMS_COVERAGE)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary, os.path.join(CORPUS, name)], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, LLVM_PROFILE_FILE=f"{folder}/%p.profraw"))
        merged = os.path.join(folder, "merged")
        raw = [os.path.join(folder, file) for file in os.listdir(folder)]
        subprocess.run(["llvm-profdata", "merge", "-o", merged] + raw, check=True)
        sources = [os.path.realpath(os.path.join(SOURCE, file)) for file in TARGETS[name].sources]
        exported = subprocess.run(
            ["llvm-cov", "export", "-summary-only", "-instr-profile", merged, binary],
            check=True, capture_output=True).stdout
    files = [file for file in json.loads(exported)["data"][0]["files"]
             if os.path.realpath(file["filename"]) in sources]
    for file in sorted(files, key=lambda file: file["filename"]):
        lines = file["summary"]["lines"]
        path = os.path.relpath(os.path.realpath(file["filename"]), SOURCE)
        print(f"{name:14} {path:28} "
              f"{lines['covered']:>4} of {lines['count']:>4} lines", flush=True)
    return {"lines": sum(file["summary"]["lines"]["count"] for file in files),
            "lines_covered": sum(file["summary"]["lines"]["covered"] for file in files)}


def merge(name, _options, children):
    """Makes the corpus anew: seeds, findings, and the smallest files that reach what those do not."""
    corpus = os.path.join(CORPUS, name)
    work = os.path.join(WORK, name)
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(work, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        make_seeds(folder)
        result = os.path.join(folder, name)
        for file in os.listdir(corpus):
            if file.startswith("finding-"):
                shutil.copy(os.path.join(corpus, file), result)
        status, log, _ = children.run(
            [program(name), "-merge=1", "-use_counters=0", f"-max_len={CORPUS_SIZE_MAX}",
             result, corpus, work],
            os.path.join(WORK, name + "-merge.log"))
        if status != 0:
            sys.exit(f"{name}: merging failed:\n{log}")
        shutil.rmtree(corpus)
        shutil.copytree(result, corpus)
    print("{:14} {} files, {:,} bytes".format(name, *measure_corpus(name)), flush=True)
    return {}


def measure_corpus(name):
    """Number of files and of bytes of a corpus."""
    corpus = os.path.join(CORPUS, name)
    sizes = [os.path.getsize(os.path.join(corpus, file)) for file in os.listdir(corpus)]
    return len(sizes), sum(sizes)


def read_figures():
    """The figures that were recorded, by target."""
    rows = {name: {} for name in TARGETS}
    if os.path.exists(FIGURES):
        with open(FIGURES, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                rows[row["target"]] = row
    return rows


def table(rows):
    """The table of the page."""
    lines = ["| target | runs | wall-clock s | processor s | findings left | corpus | lines reached "
             "| planted fault found after |",
             "|---|---|---|---|---|---|---|---|"]

    def figure(row, key):
        return f"{int(row[key]):,}" if row.get(key) else "-"

    for name, row in rows.items():
        covered = "-"
        if row.get("lines"):
            share = 100 * int(row["lines_covered"]) / int(row["lines"])
            covered = f"{row['lines_covered']} of {row['lines']} ({share:.0f} %)"
        lines.append("| " + " | ".join([
            name, figure(row, "runs"), figure(row, "seconds"), figure(row, "cpu_seconds"),
            figure(row, "findings"),
            f"{row.get('files', '-')} files, {figure(row, 'bytes')} bytes", covered,
            figure(row, "planted_runs") + " runs"]) + " |")
    return "\n".join(lines) + "\n"


def record(results):
    """Takes new figures into docs/fuzzing.csv, and writes the table anew from it."""
    rows = read_figures()
    for name, row in rows.items():
        row.update(results.get(name, {}))
        row["target"] = name
        row["files"], row["bytes"] = measure_corpus(name)
    with open(FIGURES, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
    with open(PAGE, encoding="utf-8") as file:
        head, _, rest = file.read().partition(BEGIN)
    _, _, tail = rest.partition(END)
    page = head + BEGIN + "\n" + table(rows) + "\n" + END + tail
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page)


def parse():
    parser = argparse.ArgumentParser(prog="script/fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(),
                        help="targets at once (one a processor)")
    modes = parser.add_mutually_exclusive_group()
    for mode, function in (("planted", find_planted), ("coverage", cover), ("merge", merge)):
        modes.add_argument("--" + mode, dest="work", action="store_const", const=function)
    parser.add_argument("--record", action="store_true", help="put the figures into docs/")
    parser.set_defaults(work=fuzz)
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error("there is no target " + ", ".join(unknown))
    return options


def main():
    options = parse()
    names = options.targets or list(TARGETS)
    os.makedirs(WORK, exist_ok=True)
    os.makedirs(FINDINGS, exist_ok=True)
    children = Children()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tasks = {name: pool.submit(options.work, name, options, children) for name in names}
        results = {name: task.result() for name, task in tasks.items()}
    if options.record:
        record(results)
    missed = [row for row in results.values() if row.get("planted_runs") == 0]
    found = [row for row in results.values() if row.get("findings")]
    sys.exit(1 if missed or found else 0)


if __name__ == "__main__":
    main()
