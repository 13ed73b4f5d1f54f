"""Reads the vectors of tests/vectors/ and of PROTOCOL.md; their form is described there."""

import collections
import os
import re

SOURCE = os.environ["STOCKBUS_SOURCE"]
FOLDER = os.path.join(SOURCE, "tests", "vectors")

Vector = collections.namedtuple("Vector", "kind name status meaning data")


def unhex(text):
    """Bytes of words of hex digits; HEX*N stands for N times these bytes."""
    data = b""
    for word in text.split():
        digits, _, count = word.partition("*")
        data += bytes.fromhex(digits) * int(count or 1)
    return data


def parse(text):
    """The vectors in a text, in order."""
    vectors = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in block.split("\n") if not line.startswith("#")]
        if not lines:
            continue
        head, _, meaning = lines[0].partition(": ")
        words = head.split()
        status = words[2] if len(words) > 2 else None
        vectors.append(Vector(words[0], words[1], status, meaning, unhex(" ".join(lines[1:]))))
    return vectors


def read(name):
    """The vectors of one file of tests/vectors/."""
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return parse(file.read())
