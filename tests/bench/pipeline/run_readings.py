"""Runs readings, takes the time it tells, and reads its files back.

usage: run_readings.py PROGRAM PRODUCERS CONSUMERS CAPACITY COUNT
"""

import glob
import re
import subprocess
import sys
import tempfile

import msgpack

from check import check


def unpack(path):
    with open(path, "rb") as file:
        yield from msgpack.Unpacker(file)


def main():
    program, producers, consumers, capacity, count = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        out = subprocess.run(
            [program, "--producers", producers, "--consumers", consumers, "--capacity", capacity,
             "--count", count, "--idle-timeout", "0.5", "--out", directory],
            stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
        seconds = re.search(r"^time: (\S+) s to the last write", out, re.M).group(1)
        items, checksum, ordered = check(
            unpack(path) for path in glob.glob(directory + "/consumer-*.msgpack"))
    print(items, seconds, checksum, ordered)


main()
