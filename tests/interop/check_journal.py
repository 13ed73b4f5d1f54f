#!/usr/bin/env python3
"""Verifies every record in the data directory of a broker or the state directory of a client.

usage: check_journal.py DIR...

Written from PROTOCOL.md alone. It reads and changes nothing. Exit status: 0 all is well (a torn tail of
the last journal is, too), 1 something is damaged.
"""

import hashlib
import os
import re
import sys

import msgpack

NAME = re.compile(r"(snapshot|journal)-(\d{10,})\.msgpack$")
HEADER_KEYS = ["stockbus", "version", "history", "generation", "previous"]
NO_CHECKSUM = bytes(16)


class Damaged(Exception):
    """A file is not what it should be."""


def checksum(salt, previous, record):
    return hashlib.blake2b(salt + previous + record, digest_size=16).digest()


def read_record(data, at, salt, previous):
    """The record at an offset: (number, body, checksum, offset behind it), or None."""
    if data[at:at + 2] != b"\x93\xcf":
        return None
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=0)
    unpacker.feed(data[at:])
    try:
        unpacker.read_array_header()
        number = unpacker.unpack()
        body = unpacker.unpack()
        end = at + unpacker.tell()
        unpacker.skip()
    except (msgpack.UnpackException, ValueError):
        return None
    found = data[end + 2:end + 18]
    if data[end:end + 2] != b"\xc4\x10" or found != checksum(salt, previous, data[at:end]):
        return None
    return number, body, found, end + 18


class File:
    """A file's header and records."""

    def __init__(self, path):
        self.path = path
        self.sort, number = NAME.search(path).groups()
        with open(path, "rb") as file:
            data = file.read()
        header = read_record(data, 0, NO_CHECKSUM, NO_CHECKSUM)
        if header is None:
            raise Damaged(f"{path}: offset 0: the header is damaged")
        self.header, salt, at = header[1:]
        self.first = header[0] + 1
        self.records = []
        self.next = self.first
        self.last_checksum = self.header.get("previous", b"")
        if list(self.header) != HEADER_KEYS or self.header["version"] != 1:
            raise Damaged(f"{path}: offset 0: not the header of a version 1 file")
        if self.header["generation"] != int(number):
            raise Damaged(f"{path}: is of generation {self.header['generation']}")
        if self.header["stockbus"].split(" ")[1] != self.sort:
            raise Damaged(f"{path}: is a {self.header['stockbus']}")
        while True:
            record = read_record(data, at, salt, self.last_checksum)
            if record is None or record[0] != self.next:
                break
            self.records.append(record[1])
            self.last_checksum, at = record[2:]
            self.next += 1
        self.end = at
        self.tail = data[at:].rstrip(b"\0")
        if self.tail:
            self.look_behind(data, salt)

    def look_behind(self, data, salt):
        """Raises when a good record stands behind the bad one."""
        at = data.find(b"\x93\xcf", self.end + 1)
        while at >= 0:
            record = read_record(data, at, salt, data[at - 16:at])
            if record is not None and record[0] > self.next:
                raise Damaged(f"{self.path}: offset {self.end}: record {self.next} is damaged "
                              f"(record {record[0]} at offset {at} is good)")
            at = data.find(b"\x93\xcf", at + 1)

    def check_snapshot(self):
        if self.tail or not self.records or self.records[-1] != len(self.records) - 1:
            raise Damaged(f"{self.path}: offset {self.end}: the end is not that of a snapshot")


def check_directory(directory):
    """Checks all files of a directory; returns (snapshots, journals), each in order."""
    paths = sorted((int(NAME.search(name).group(2)), os.path.join(directory, name))
                   for name in os.listdir(directory) if NAME.search(name))
    files = [File(path) for _, path in paths]
    snapshots = [file for file in files if file.sort == "snapshot"]
    journals = [file for file in files if file.sort == "journal"]
    if not snapshots:
        raise Damaged(f"{directory}: holds no snapshot")
    for file in files:
        if file.header["history"] != files[0].header["history"]:
            raise Damaged(f"{file.path}: belongs to another history")
    for before, after in zip(journals, journals[1:]):
        if (after.header["generation"] != before.header["generation"] + 1
                or after.first != before.next
                or after.header["previous"] != before.last_checksum):
            raise Damaged(f"{after.path}: does not follow {before.path}")
    by_generation = {file.header["generation"]: file for file in journals}
    for snapshot in snapshots:
        snapshot.check_snapshot()
        journal = by_generation.get(snapshot.header["generation"])
        if (journal is None or journal.first != snapshot.first
                or journal.header["previous"] != snapshot.header["previous"]):
            raise Damaged(f"{snapshot.path}: its journal does not follow it")
    return snapshots, journals


def main(directories):
    status = 0
    for directory in directories:
        try:
            snapshots, journals = check_directory(directory)
            for file in snapshots + journals:
                torn = f", and {len(file.tail)} bytes that are none" if file.tail else ""
                print(f"{file.path}: {len(file.records)} records{torn}")
        except Damaged as damage:
            print(damage, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
