"""What the tests of readings and readings-cat share."""

import collections
import glob
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

import msgpack

BIN = os.environ["STOCKBUS_BIN"]
READINGS = os.path.join(BIN, "readings")
READINGS_CAT = os.path.join(BIN, "readings-cat")
KEYS = ["id", "producer", "sequence", "time_ns", "sensor", "unit", "value"]
PATIENCE_S = 60  # for what comes soon on any machine that is not stuck


def run(program, *arguments, **more):
    """Runs a program to its end; out and err are texts."""
    return subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", **more)


def wait_until(condition, what):
    """Waits for a condition; fails when it does not come true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"in vain waited for: {what}")
        os.sched_yield()


def files_of(directory):
    """The files of a recording, by consumer."""
    names = glob.glob(os.path.join(glob.escape(directory), "consumer-*.msgpack"))
    return sorted(names, key=lambda name: int(re.search(r"-(\d+)\.msgpack$", name).group(1)))


def unpack_file(path):
    """All objects of a file, read by a library that knows nothing of us."""
    with open(path, "rb") as file:
        return list(msgpack.Unpacker(file, raw=False))


def whole_bytes(path):
    """Where the last whole object of a file ends."""
    with open(path, "rb") as file:
        unpacker = msgpack.Unpacker(file, raw=False)
        for _ in unpacker:
            pass
        return unpacker.tell()


def totals_of(output):
    """(made, written) of the last line of a summary."""
    match = re.search(r"^total: (\d+) made, (\d+) written by \d+ consumers?\Z", output.strip(), re.M)
    assert match, output
    return int(match.group(1)), int(match.group(2))


class Case(unittest.TestCase):
    """A test with a directory of its own."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="stockbus-test-")
        self.addCleanup(self.scratch.cleanup)
        self.directory = self.scratch.name

    def check_recording(self, directory):
        """Each reading once, each file in order within a producer. Returns the readings."""
        seen = collections.Counter()
        readings = []
        for path in files_of(directory):
            last = collections.Counter()
            for reading in unpack_file(path):
                self.assertEqual(list(reading), KEYS)
                self.assertGreater(reading["sequence"], last[reading["producer"]])
                last[reading["producer"]] = reading["sequence"]
                seen[reading["producer"], reading["sequence"]] += 1
                readings.append(reading)
            self.assertEqual(whole_bytes(path), os.path.getsize(path))
        self.assertEqual([key for key, times in seen.items() if times != 1], [])
        self.assertEqual(len({reading["id"] for reading in readings}), len(readings))
        return readings

    def record(self, *arguments):
        """Records into the directory and checks all; returns (finished process, readings)."""
        done = run(READINGS, "--out", self.directory, "--idle-timeout", "1", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        readings = self.check_recording(self.directory)
        self.assertEqual(totals_of(done.stdout), (len(readings), len(readings)))
        return done, readings


def skip(reason):
    """Ends a test program as skipped."""
    print("skipped:", reason)
    sys.exit(77)
