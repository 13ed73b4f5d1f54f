"""Attacks a broker while honest clients buy from it, and tells what they saw of it.

usage: hostile.py [--seconds 1.5] [--rounds 1] [--csv FILE] [--until-closed] [--realtime]
                  [--stolen-max PERCENT] [ATTACK...]

Fails when a purchase is wrong or has no reply, a unit is lost or made, the broker takes more memory
than it may, does not serve any more, or does not end in order. Times are told and decide nothing.
"""

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

from attacks import ATTACKS, WEAKNESSES
from broker import Broker, PATIENCE_S, die_with_parent, is_sanitized
from honest import Crowd, Newcomer, percentile

BUYERS = 8
UNITS = 100_000_000
INVENTORY = f"036000291452 {UNITS} Facial tissues, 160 sheets\n"
DESCRIPTORS = 256  # where they are to run out
TRIES = 3  # of a round, where others on the host take too much processor time away
UNTIL_CLOSED_S = 60  # heartbeats take 40 s to find out that nobody is there
MEMORY_MAX_KIB = (1536 if is_sanitized() else 512) * 1024  # 64 MiB are for a password
HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS = ("attack", "round", "p50_before_ms", "p99_before_ms", "p50_during_ms", "p99_during_ms",
           "p50_ratio", "p99_ratio", "purchases", "repeats", "login_s", "rss_before_kib",
           "rss_peak_kib", "rss_after_kib", "stolen_percent", "connections", "closed", "ended_by")


def memory_kib(pid):
    """What the process holds, and the most that it has held since reset_peak()."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        values = dict(line.split(":", 1) for line in status)
    return int(values["VmRSS"].split()[0]), int(values["VmHWM"].split()[0])


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def processor_time():
    """What a virtual machine's host gave to others, and all that passed, in the same unit."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return ticks[7], sum(ticks)


def like_all_others():
    """Of a child: not as urgent as who starts it may be."""
    die_with_parent()
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def few_descriptors():
    like_all_others()
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def attack_idly():
    """Attackers have machines of their own; here they take what others leave of the processors."""
    die_with_parent()
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def attack_less_urgently():
    """The same where others are not urgent: some of it they get."""
    die_with_parent()
    os.nice(19)


def urgent(broker):
    """Has honest clients go before the broker, and the broker before the attackers, at any moment.

    Each has processors of its own in the world. Without this, attackers also take away processor time,
    which no broker can do anything about: up to 4 ms at a time. Of the broker's threads, the one that
    checks passwords is not urgent in the product, and isn't here.
    """
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))
    for thread in map(int, os.listdir(f"/proc/{broker.process.pid}/task")):
        if os.getpriority(os.PRIO_PROCESS, thread) == 0:
            os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(1))


def prepare_attack(name, port, number, given):
    """Starts an attacker, who waits for a line on standard input."""
    command = [sys.executable, "-B", os.path.join(HERE, "attacks.py"), name, str(port),
               str(given.seconds), "--seed", str(number)]
    if given.until_closed:
        command += ["--until-closed", str(UNTIL_CLOSED_S)]
    attack = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              encoding="utf-8",
                              preexec_fn=attack_idly if given.realtime else attack_less_urgently)
    if attack.stdout.readline() != "ready\n":
        raise AssertionError(f"{name} ended with {attack.wait()} before it began")
    return attack


def what_ended(report):
    """Who ended it, in words."""
    if "gave_up" in report:
        return f"the attacker gave up: {report['gave_up']}"
    if "all_closed_after_s" in report:
        return f"the broker closed all after {report['all_closed_after_s']} s"
    if report["closed"] >= report["connections"]:
        return "the broker closed all"
    if report["closed"] > report["connections"] // 2:
        return "the broker closed one after the other"
    return "the attacker, when time was up"


def measure(broker, crowd, name, number, given):
    """One attack on a broker that serves; returns a row of the table."""
    pid = broker.process.pid
    attack = prepare_attack(name, broker.port, number, given)
    crowd.buy_for(0.3)  # what is measured is not the first of its kind
    stolen_before, time_before = processor_time()
    newcomer = Newcomer(broker.endpoint)
    before = crowd.buy_for(given.seconds)
    newcomer.wait()
    rss_before, _ = memory_kib(pid)
    reset_peak(pid)
    repeats = crowd.repeats
    newcomer = Newcomer(broker.endpoint)
    attack.stdin.write("\n")
    attack.stdin.flush()
    during = crowd.buy_for(given.seconds)
    stolen, time = processor_time()
    out, _ = attack.communicate(timeout=UNTIL_CLOSED_S + PATIENCE_S)
    if attack.returncode != 0:
        raise AssertionError(f"{name} ended with {attack.returncode}")
    report = json.loads(out)
    if report.get("connections") == 0 or ("gave_up" in report and name != "descriptors"):
        raise AssertionError(f"{name} was no attack: {report}")
    login_s = newcomer.wait()  # also where there was no room for it during the attack
    crowd.buy_for(0.3)
    crowd.check()
    rss_after, rss_peak = memory_kib(pid)
    if rss_peak > MEMORY_MAX_KIB:
        raise AssertionError(f"{name}: the broker held {rss_peak} KiB")
    p50, p99 = percentile(before, 50), percentile(before, 99)
    stolen_percent = 100 * (stolen - stolen_before) / (time - time_before)
    p50_during, p99_during = percentile(during, 50), percentile(during, 99)
    return dict(zip(COLUMNS, (
        name, number, p50, p99, p50_during, p99_during, p50_during / p50, p99_during / p99,
        len(during), crowd.repeats - repeats, login_s, rss_before, rss_peak, rss_after,
        stolen_percent, report.get("connections", ""), report.get("closed", ""), what_ended(report))))


def play(name, number, given):
    """A broker of its own for one attack."""
    with tempfile.TemporaryDirectory(prefix="stockbus-test-") as folder:
        return play_in(folder, name, number, given)


def play_in(folder, name, number, given):
    broker = Broker(folder, inventory=INVENTORY, users=None, lanes=64, segment_mib=16)
    try:
        broker.start(preexec_fn=few_descriptors if name == "descriptors" else like_all_others)
        if given.realtime:
            urgent(broker)
        crowd = Crowd(broker.endpoint, BUYERS)
        row = measure(broker, crowd, name, number, given)
        crowd.close()
        status = broker.terminate()
        if status != 0:
            raise AssertionError(f"{name}: the broker ended with {status}: {broker.lines}")
        return row
    except Exception:  # it goes on from here; but what the broker is at can be seen only now
        print(f"{name}: the broker's threads:\n{broker.threads()}", file=sys.stderr, flush=True)
        raise
    finally:
        broker.kill()


def play_undisturbed(name, number, given):
    """The same, again and again until the host has left the machine alone, or else the best of all."""
    rows = []
    for _ in range(TRIES):
        rows.append(play(name, number, given))
        if rows[-1]["stolen_percent"] <= given.stolen_max:
            break
    return min(rows, key=lambda row: row["stolen_percent"])


def show(value):
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def table(rows):
    """A line an attack, with the medians of its rounds."""
    columns = [column for column in COLUMNS if column != "round"]
    lines = [columns]
    for name in dict.fromkeys(row["attack"] for row in rows):
        mine = [row for row in rows if row["attack"] == name]
        lines.append([
            show(statistics.median(row[column] for row in mine)
                 if all(isinstance(row[column], (int, float)) for row in mine)
                 else mine[-1][column]) for column in columns])
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join("  ".join(
        cell.ljust(width) if i in (0, len(columns) - 1) else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="hostile.py")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK",
                        help=", ".join(ATTACKS) + "; and not unless asked for: " + ", ".join(WEAKNESSES))
    parser.add_argument("--seconds", type=float, default=1.5, help="of each attack")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--until-closed", action="store_true",
                        help="wait until the broker has closed silent connections")
    parser.add_argument("--realtime", action="store_true",
                        help="with realtime priorities (root's): attackers take no processor time away")
    parser.add_argument("--stolen-max", type=float, default=100, metavar="PERCENT",
                        help="try a round again when the host took more processor time away")
    parser.add_argument("--csv", help="where the rows go")
    given = parser.parse_args()
    rows = []
    for number in range(1, given.rounds + 1):
        for name in given.attacks or ATTACKS:
            rows.append(play_undisturbed(name, number, given))
            print(*(f"{key}={show(value)}" for key, value in rows[-1].items()), file=sys.stderr,
                  flush=True)
    if given.csv:
        with open(given.csv, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows({key: show(value) for key, value in row.items()} for row in rows)
    print(table(rows), end="")


if __name__ == "__main__":
    main()
