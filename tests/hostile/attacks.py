"""What bad peers do to a broker, each for a given time, in a process of their own.

usage: attacks.py NAME PORT SECONDS [--until-closed SECONDS]

Says that it is ready, and begins with a line on standard input: starting is work, and no attack.
Prints, as JSON, what it did and what became of its connections. It ends when the time is up; with
--until-closed it then waits, for so long at most, until the broker has closed them all.
"""

import argparse
import json
import os
import random
import resource
import select
import selectors
import socket
import struct
import sys
import time

import msgpack

import zmtp

MANY = 500  # connections
ENDLESS_BYTES = 16 * 1024 * 1024  # of one message: long enough for the broker to see it
PONG = zmtp.frame(b"\4PONG" + bytes(2), zmtp.COMMAND)


def packed(operation, **members):
    return msgpack.packb({"v": 1, "op": operation, **members})


class Crowd:
    """Connections that are served in turn, none of them ever waited for."""

    def __init__(self, until):
        self.until = until
        self.selector = selectors.DefaultSelector()
        self.report = {"connections": 0, "closed": 0, "bytes_sent": 0, "bytes_received": 0}

    def add(self, connection, source=None, reads=True):
        """`source` is a function that gives the next bytes to send; None: nothing is sent."""
        connection.setblocking(False)
        events = (selectors.EVENT_WRITE if source else 0) | (selectors.EVENT_READ if reads else 0)
        self.report["connections"] += 1
        state = {"source": source, "reads": reads, "left": b""}
        if events:
            self.selector.register(connection, events, state)
        return connection

    def drop(self, connection):
        self.selector.unregister(connection)
        connection.close()
        self.report["closed"] += 1

    def write(self, connection, state):
        state["left"] = state["left"] or state["source"]()
        sent = connection.send(state["left"])
        state["left"] = state["left"][sent:]
        self.report["bytes_sent"] += sent

    def serve(self, replace=None):
        """Runs until the time is up. `replace` makes another connection for one that was closed."""
        while time.monotonic() < self.until:
            if not self.selector.get_map():
                return
            for key, events in self.selector.select(0.05):
                try:
                    if events & selectors.EVENT_WRITE:
                        self.write(key.fileobj, key.data)
                    if events & selectors.EVENT_READ:
                        data = key.fileobj.recv(65536)
                        self.report["bytes_received"] += len(data)
                        if not data:
                            raise ConnectionResetError
                except BlockingIOError:
                    pass
                except OSError:
                    self.drop(key.fileobj)
                    if replace is not None and time.monotonic() < self.until:
                        replace()


def flood(given, count, make, reads=True):
    """`count` connections that send what `make` gives without waiting for replies."""
    crowd = Crowd(given.until)

    def add():
        while time.monotonic() < given.until:
            try:
                connection = zmtp.shake_hands(zmtp.connect(given.port))
                return crowd.add(connection, make, reads)
            except OSError:  # the broker has had enough of this one too
                crowd.report["connections"] += 1
                crowd.report["closed"] += 1

    for _ in range(count):
        add()
    crowd.serve(replace=add)
    return crowd.report


def nobody(given):
    """A connection that is served and does nothing: what the measurement shows without an attack."""
    crowd = Crowd(given.until)
    crowd.add(zmtp.shake_hands(zmtp.connect(given.port)))
    crowd.serve()
    return crowd.report


def polite(given):
    """Clients that ask all the time, and wait for each reply as they should."""
    ask = zmtp.request(packed("ping"))
    report = {"connections": 64, "closed": 0, "replies": 0}
    poller = select.poll()
    peers = {}
    for _ in range(report["connections"]):
        peer = zmtp.shake_hands(zmtp.connect(given.port))
        peers[peer.fileno()] = peer
        poller.register(peer, select.POLLIN)
        peer.sendall(ask)
    while time.monotonic() < given.until:
        for number, _ in poller.poll(50):
            if not peers[number].recv(65536):
                raise AssertionError("the broker has closed a connection that did no harm")
            report["replies"] += 1
            peers[number].sendall(ask)
    return report


def pings(given):
    data = zmtp.request(packed("ping")) * 100
    return flood(given, 64, lambda: data)


def malformed(given):
    chance = random.Random(given.seed)
    bodies = [b"\xdd\xff\xff\xff\xff", b"\x91" * 40, b"\xc1", packed("ping") + b"x",
              b"\xdf\xff\xff\xff\xff\xa1v\x01", packed("buy", order=1, lines=[[1, 1]] * 900)]
    bodies += [chance.randbytes(chance.randrange(1, 200)) for _ in range(40)]
    data = b"".join(map(zmtp.request, bodies))
    return flood(given, 64, lambda: data)


def login_flood(given, names, count=16):
    def make():
        return b"".join(zmtp.request(packed("login", nonce=os.urandom(16), password="wrong",
                                            user=random.choice(names))) for _ in range(20))
    return flood(given, count, make)


def logins(given):
    """Wrong passwords for a name that somebody else wants to log in with."""
    return login_flood(given, ["south"])


def guesses(given):
    """Wrong passwords for many names, most of them nobody's."""
    return login_flood(given, ["north", "south", "depot"] + [f"user {i}" for i in range(200)])


def multipart(given):
    """Messages of small frames without an end."""
    data = zmtp.frame(b"", zmtp.MORE) + zmtp.frame(b"x", zmtp.MORE) * 10000
    return flood(given, 4, lambda: data)


def many_multipart(given):
    """The same from very many, none of which brings too much by itself."""
    data = zmtp.frame(b"", zmtp.MORE) * 10000
    return flood(given, MANY, lambda: data)


def multipart_pings(given):
    """The same with heartbeats in between, which libzmq answers in the middle of a message."""
    data = zmtp.frame(b"", zmtp.MORE) * 30000 + zmtp.frame(b"\4PING" + bytes(4), zmtp.COMMAND)
    report = {"connections": 0, "closed": 0, "bytes_sent": 0}
    while (left := given.until - time.monotonic()) > 0:
        connection = zmtp.shake_hands(zmtp.connect(given.port))
        connection.settimeout(left)
        report["connections"] += 1
        try:
            for _ in range(ENDLESS_BYTES // len(data)):
                connection.sendall(data)
                report["bytes_sent"] += len(data)
                zmtp.take(connection, len(PONG))
            raise AssertionError("the broker takes all of a message without an end")
        except TimeoutError:  # it takes its time
            pass
        except ConnectionError:
            report["closed"] += 1
        connection.close()
    return report


def long_multipart(given):
    """Messages that end after very many frames, and are all refused."""
    data = (zmtp.frame(b"", zmtp.MORE) + zmtp.frame(b"x", zmtp.MORE) * 20000 + zmtp.frame(b"x"))
    return flood(given, 4, lambda: data)


def wait_until_closed(crowd, given):
    """Waits until the time is up, or in the end until the broker has closed all connections."""
    crowd.until = given.until + given.until_closed
    begin = time.monotonic()
    crowd.serve()
    if not crowd.selector.get_map():
        crowd.report["all_closed_after_s"] = round(time.monotonic() - begin, 1)
    return crowd.report


def half_open(given):
    """Connections without a greeting."""
    crowd = Crowd(given.until)
    for _ in range(MANY):
        crowd.add(zmtp.connect(given.port))
    return wait_until_closed(crowd, given)


def silent(given):
    """Connections that say nothing, not even to heartbeats, once hands are shaken."""
    crowd = Crowd(given.until)
    for _ in range(MANY):
        crowd.add(zmtp.shake_hands(zmtp.connect(given.port)))
    return wait_until_closed(crowd, given)


def deaf(given):
    """Peers that ask and never read, and ask for more when no reply comes any more."""
    ask = zmtp.request(packed("ping"))
    insist = zmtp.request(b"\xc1" * 9000)
    report = {"connections": 0, "closed": 0}
    peers = {}  # to what each has unread, and since when
    while time.monotonic() < given.until:
        while len(peers) < 64:
            peers[zmtp.shake_hands(zmtp.connect(given.port, receive_buffer=1))] = (-1, 0)
            report["connections"] += 1
        for peer, (before, since) in list(peers.items()):
            now, size = time.monotonic(), zmtp.unread(peer)
            if size > before or now - since > 0.01:
                peers[peer] = (size, now)
                try:
                    peer.sendall(ask if size > before else insist)
                except OSError:
                    report["closed"] += 1
                    del peers[peer]
                    peer.close()
    return report


def slow(given):
    """Peers that send a byte at a time."""
    crowd = Crowd(given.until)
    data = zmtp.GREETING + zmtp.ready() + zmtp.request(packed("ping")) * 1000
    connections = {zmtp.connect(given.port): 0 for _ in range(200)}
    crowd.report["connections"] = len(connections)
    while time.monotonic() < given.until and connections:
        for connection, at in list(connections.items()):
            try:
                crowd.report["bytes_sent"] += connection.send(data[at:at + 1])
                connections[connection] = at + 1
            except OSError:
                del connections[connection]
                crowd.report["closed"] += 1
        select.select([], [], [], 0.01)
    return crowd.report


def storm(given):
    """Connections that are made, used once, and torn down before the reply."""
    report = {"connections": 0, "closed": 0}
    ping = zmtp.request(packed("ping"))
    while time.monotonic() < given.until:
        connection = zmtp.connect(given.port)
        report["connections"] += 1
        if report["connections"] % 2:
            zmtp.shake_hands(connection)
            connection.sendall(ping)
        # Closed with a reset, and what is on its way is thrown away.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return report


def come_and_go(given, burst):
    """Connections that bring `burst` at once, and are gone before any of it is taken."""
    report = {"connections": 0, "closed": 0}
    while time.monotonic() < given.until:
        connection = zmtp.connect(given.port)
        report["connections"] += 1
        try:
            zmtp.shake_hands(connection).sendall(burst)
        except OSError:
            report["closed"] += 1
        connection.close()
    return report


def bursts(given):
    """Very many small requests, of peers that are gone before any reply."""
    return come_and_go(given, (zmtp.frame(b"", zmtp.MORE) + zmtp.frame(b"")) * 2000)


def unaddressed(given):
    """Messages without an envelope, of peers that are gone when they are thrown away."""
    return come_and_go(given, zmtp.frame(b"x") * 2500)


def strange_greetings(chance):
    """What is no ZMTP 3 with NULL, or none at all."""
    other_mechanism = zmtp.GREETING[:12] + b"PLAIN".ljust(20, b"\0") + zmtp.GREETING[32:]
    return [chance.randbytes(2000), b"GET / HTTP/1.1\r\nHost: stock\r\n\r\n", b"\xff" * 100,
            b"\x01\x00", zmtp.GREETING[:10] + b"\x01" + zmtp.GREETING[11:],
            zmtp.GREETING[:10] + b"\x09" + bytes(53), other_mechanism + zmtp.ready(),
            zmtp.GREETING + zmtp.ready(b"PUB"), zmtp.GREETING + zmtp.frame(b"\x05HELLO", zmtp.COMMAND),
            zmtp.GREETING + zmtp.frame(chance.randbytes(60), zmtp.COMMAND),
            zmtp.GREETING + b"\xff" * 20]


def garbage(given):
    """Bytes that are no ZMTP, and greetings that are wrong."""
    chance = random.Random(given.seed)
    crowd = Crowd(given.until)
    strange = strange_greetings(chance)

    def add():
        data = chance.choice(strange)
        connection = zmtp.connect(given.port)
        connection.sendall(data)
        crowd.add(connection)

    for _ in range(64):
        add()
    crowd.serve(replace=add)
    return crowd.report


def oversize(given):
    """Frames that announce more than anybody has room for."""
    sizes = [2**63, 2**63 - 1, 2**64 - 1, 2**31, 65537]
    crowd = Crowd(given.until)
    chance = random.Random(given.seed)

    def add():
        connection = zmtp.shake_hands(zmtp.connect(given.port))
        connection.sendall(zmtp.frame(b"", zmtp.MORE) + bytes([zmtp.LONG])
                           + chance.choice(sizes).to_bytes(8, "big") + b"x" * 1000)
        crowd.add(connection)

    for _ in range(64):
        add()
    crowd.serve(replace=add)
    return crowd.report


def descriptors(given):
    """More connections than the broker has descriptors for."""
    crowd = Crowd(given.until)
    for _ in range(1000):
        connection = zmtp.connect(given.port)
        connection.sendall(zmtp.GREETING + zmtp.ready())
        crowd.add(connection)
    crowd.serve()
    return crowd.report


ATTACKS = {attack.__name__: attack for attack in (
    nobody, polite, pings, malformed, logins, guesses, multipart, multipart_pings, long_multipart,
    half_open, silent, deaf, slow, storm, bursts, garbage, oversize, descriptors)}
# What others suffer from more than they should; docs/security.md says why.
WEAKNESSES = {attack.__name__: attack for attack in (many_multipart, unaddressed)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices={**ATTACKS, **WEAKNESSES})
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until-closed", type=float, default=0)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    print("ready", flush=True)
    sys.stdin.readline()
    given.until = time.monotonic() + given.seconds
    try:
        report = {**ATTACKS, **WEAKNESSES}[given.name](given)
    except OSError as failure:  # the broker has had enough of it
        report = {"gave_up": str(failure)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
