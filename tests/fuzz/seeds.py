#!/usr/bin/env python3
"""Makes the seeds of the corpora: from the vectors of the protocol, the files of conf/, and what
fuzz-seeds writes with the code of broker, client and readings. Always the same ones.

usage: seeds.py FUZZ_SEEDS DIR     (STOCKBUS_SOURCE and PYTHONPATH as for the tests)
"""

import os
import subprocess
import sys

import msgpack

import vectors

SIZE_MAX = 4000
TARGETS = ["request", "reply", "journal", "snapshot", "client", "configuration", "readings"]
CONF = os.path.join(vectors.SOURCE, "conf")

OTHER_SETTINGS = {
    "broker-small": 'bind = "tcp://[::1]:*"\nlanes = 1\nsegment_mib = 256\nsessions = 1\n'
                    "sessions_per_user = 10000000\n",
    "broker-open": "bind = tcp://*:5570\n"
                   "plaintext_beyond_loopback = passwords-and-orders-may-be-read-by-others\n",
    "broker-encrypted": "bind = tcp://*:5570\nlog_level = debug\nlog_format = json\n"
                        "curve\n    certificate = broker.cert\n    clients = /etc/clients\n",
    "client-encrypted": "user = depot\ncurve\n    certificate = client.cert\n"
                        "    broker_key = broker.key\n",
    "broker-section": "broker\n    lanes = 1\n",
    "broker-twice": "lanes = 1\nlanes = 2\n",
    "client-all": "endpoint = tcp://host:1\ntimeout_ms = 600000\nstate = ../state\n"
                  "user = 'north'\ncolor = never\nconfirm_units = 0\n",
    "users-one": "x buy $argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA\n",
    "inventory-one": "036000291452 9007199254740991 x\n",
    "inventory-crlf": "036000291452\t0\tTea  \r\n\r\n# end",
    "empty": "",
}


def write(folder, target, name, data):
    """Writes a seed, unless it is too large for a corpus."""
    if len(data) <= SIZE_MAX:
        with open(os.path.join(folder, target, name), "wb") as file:
            file.write(data)


def write_messages(folder):
    """Requests and replies as they travel, and requests that are refused."""
    for vector in vectors.read("session.txt"):
        write(folder, vector.kind, vector.name, vector.data)
    for vector in vectors.read("refused.txt"):
        write(folder, "request", "refused-" + vector.name, vector.data)
    page = {"v": 1, "status": "ok", "history": bytes(8), "position": 2**53 - 1,
            "items": [[upc, "x" * 200 if upc == 0 else "é", 2**53 - 1] for upc in range(20)],
            "more": True, "later": {"a": [None, 1.5]}}
    write(folder, "reply", "page-long", msgpack.packb(page))
    lines = {"v": 1, "op": "buy", "session": 2**53 - 1, "token": bytes(16), "order": 2**53 - 1,
             "lines": [[10**12 - 1, 10**9]] * 50}
    write(folder, "request", "buy-long", msgpack.packb(lines))
    login = {"password": "p" * 128, "user": "ü" * 16, "nonce": bytes(16), "op": "login", "v": 1}
    write(folder, "request", "login-long", msgpack.packb(login))


def write_configuration(folder):
    """The files of conf/, and some others."""
    for name in os.listdir(CONF):
        if name.endswith(".conf"):
            with open(os.path.join(CONF, name), "rb") as file:
                write(folder, "configuration", name, file.read())
    for name, text in OTHER_SETTINGS.items():
        write(folder, "configuration", name, text.encode())


def write_readings(folder):
    """Readings of other writers."""
    reading = {"id": 0, "producer": 1024, "sequence": 2**53 - 1, "time_ns": 2**63 - 1,
               "sensor": "s" * 19, "unit": "1234567", "value": 1.5}
    packer = msgpack.Packer(use_single_float=True)
    write(folder, "readings", "float-32", packer.pack(reading))
    write(folder, "readings", "other-members",
          msgpack.packb(dict(reversed(reading.items()), note=["x", {"y": None}])))
    write(folder, "readings", "killed", msgpack.packb(reading) + bytes(20))


def main():
    program, folder = sys.argv[1:]
    for target in TARGETS:
        os.makedirs(os.path.join(folder, target), exist_ok=True)
    subprocess.run([program, folder], check=True)
    write_messages(folder)
    write_configuration(folder)
    write_readings(folder)


if __name__ == "__main__":
    main()
