#!/usr/bin/python3
"""Drives stock-fsck over directories that are good, torn and damaged.

usage: test_fsck.py STOCK_FSCK MAKE_RECORDS [RECORDS]     (2000)

With a million RECORDS it also has to be done in 10 seconds.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

fsck, make_records = sys.argv[1:3]
records = int(sys.argv[3]) if len(sys.argv) > 3 else 2000


def run(*arguments):
    return subprocess.run([fsck, *arguments], capture_output=True, text=True)


def expect(condition, *what):
    if not condition:
        print("FAILED:", *what)
        sys.exit(1)


def digest(directory):
    """Names, sizes, times and bytes of all that is in a directory."""
    result = hashlib.sha256()
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        with open(path, "rb") as file:
            result.update(file.read())
        result.update(f"{name} {os.stat(path).st_mtime_ns}".encode())
    return result.hexdigest()


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def good_directory_is_printed(directory):
    before = digest(directory)
    began = time.monotonic()
    answer = run("--json", directory)
    took = time.monotonic() - began
    expect(answer.returncode == 0, "good directory:", answer)
    found = json.loads(answer.stdout)
    expect(found["ok"] and found["kind"] == "broker", found)
    expect(found["position"] == records, found)
    expect(sum(item["units"] for item in found["items"]) == found["units"], found)
    expect(found["units"] == 24 * 100 - (1 if records % 2 == 0 else 0), found["units"])
    expect(found["compared_with"] == 1, "the snapshots were compared:", found)
    expect(found["sessions"][0]["user"] == "depot", found)
    expect(found["sessions"][0]["last"]["order"] == records - 1, found)
    expect(sum(file.get("records", 0) for file in found["files"]) == records, found["files"])
    answer = run(directory)
    expect(answer.returncode == 0 and answer.stdout.endswith("good\n"), answer)
    expect(digest(directory) == before, "fsck changed the directory")
    return took


def usage_is_told(directory):
    expect(run().returncode == 2, "no directory")
    expect(run("--nonsense", directory).returncode == 2, "unknown option")
    expect(run("--version").stdout.startswith("stock-fsck "), "version")
    expect("stock-fsck --json" in run("--help").stdout, "help with an example")
    expect(run(directory + "/nowhere").returncode == 1, "no such directory")
    with tempfile.TemporaryDirectory() as empty:
        answer = run("--json", empty)
        expect(answer.returncode == 1 and "holds no snapshot" in answer.stderr, answer)


def damage_has_file_and_offset(directory):
    name = "journal-0000000001.msgpack"
    flip(f"{directory}/{name}", 1000)
    answer = run("--json", directory)
    found = json.loads(answer.stdout)
    expect(answer.returncode == 3 and not found["ok"], answer)
    expect(name in answer.stderr and "offset" in answer.stderr, answer.stderr)
    expect(name in found["message"], found)
    flip(f"{directory}/{name}", 1000)
    expect(run(directory).returncode == 0, "good again")


def torn_tail_is_no_damage(directory):
    subprocess.run([make_records, directory, "50", "--kill"], check=True)
    journal = f"{directory}/journal-0000000001.msgpack"
    found = json.loads(run("--json", directory).stdout)
    end = found["files"][1]["end"]
    with open(journal, "r+b") as file:
        file.seek(end)
        file.write(b"\x93\xcf torn")
    answer = run("--json", directory)
    found = json.loads(answer.stdout)
    expect(answer.returncode == 0 and found["files"][1]["torn_bytes"] == 7, answer)
    expect("torn: 7 bytes" in run(directory).stdout, "torn tail in words")


with tempfile.TemporaryDirectory() as scratch:
    data = f"{scratch}/data"
    subprocess.run([make_records, data, str(records)], check=True)
    seconds = good_directory_is_printed(data)
    print(f"{records} records read, checked and compared in {seconds:.2f} s")
    expect(seconds < 10, "it took too long")
    usage_is_told(data)
    damage_has_file_and_offset(data)
    torn_tail_is_no_damage(f"{scratch}/torn")
