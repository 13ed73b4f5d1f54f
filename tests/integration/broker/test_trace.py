"""What stockd does in which order, and what it does not do while it serves: seen by its system calls."""

import os
import re
import shutil
import subprocess
import sys
import unittest

import msgpack
import zmq

import zmtp
from broker import Case, PASSWORDS, PATIENCE_S, SKIPPED, is_sanitized, wait_until
from stock_client import Client

TISSUES = 36000291452

CALL = re.compile(r'^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)$')
STRACE = ["strace", "-D", "-f", "-xx", "-s", "200", "-e"]
DURABLE = "trace=pwrite64,fdatasync,write,sendto,sendmsg"
ADDRESS_SPACE = "trace=write,mprotect,brk"
POSITION = msgpack.packb("position")


def can_trace():
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-f", "-o", os.devnull, "true"], stderr=subprocess.DEVNULL,
        check=False).returncode == 0


def calls(path):
    """The calls of a trace: (thread, name, bytes written, whether it ends here, succeeded)."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = CALL.match(line.rstrip("\n"))
            if match is None:
                continue
            thread, name, rest = match.groups()
            quoted = re.search(r'"((?:\\x[0-9a-f]{2})*)"', rest)
            data = bytes.fromhex(quoted.group(1).replace("\\x", "")) if quoted else b""
            ends = not rest.endswith("<unfinished ...>")
            yield thread, name, data, ends, ends and not re.search(r"= -1 E\w+", rest)


def position_of(data):
    """The position that a sent reply names, or None."""
    at = data.find(POSITION)
    if at < 0:
        return None
    unpacker = msgpack.Unpacker()
    unpacker.feed(data[at + len(POSITION):])
    return unpacker.unpack()


class Trace(Case):
    def clients(self, broker, count):
        clients = []
        for _ in range(count):
            client = Client(broker.endpoint)
            self.addCleanup(client.close)
            self.assertEqual(client.login("depot", PASSWORDS["depot"])["status"], "ok")
            clients.append(client)
        return clients

    def check_trace(self, path):
        """No reply names a record before the sync that covers it has ended. Counts replies."""
        serving = False
        written, synced = {}, -1  # by thread: the last record that was written and not synced
        replies = syncs = 0
        for thread, name, data, ends, succeeded in calls(path):
            if data.startswith(b"stockd: ready on "):
                serving, written = True, {}
            if name == "pwrite64" and data.startswith(b"\x93\xcf"):
                if serving:
                    self.assertNotIn(thread, written, "two records with one sync")
                written[thread] = int.from_bytes(data[2:10], "big")
            elif name == "fdatasync" and ends and succeeded and thread in written and serving:
                synced = max(synced, written.pop(thread))
                syncs += 1
            elif name in ("sendto", "sendmsg", "write"):
                position = position_of(data)
                if position:  # none of the records of before it served is in doubt
                    self.assertLessEqual(position, synced)
                    replies += 1
                if data.startswith(b"stockd: stopping"):
                    break
        return replies, syncs

    def start_traced(self, what, **settings):
        """A broker, and the file that its calls go to."""
        trace = os.path.join(self.directory, "trace")
        broker = self.broker(**settings)
        broker.start([*STRACE, what, "-o", trace], {"ASAN_OPTIONS": "detect_leaks=0"})
        return broker, trace

    def end_traced(self, broker, trace):
        """Ends the broker and waits until the trace is complete."""
        self.assertEqual(broker.terminate(), 0, broker.lines)

        def is_complete():
            with open(trace, encoding="utf-8") as file:
                return f"{broker.process.pid} +++ exited with 0 +++" in re.sub(" +", " ", file.read())

        wait_until(is_complete, "the end of the trace")

    def play_traced(self, lanes):
        broker, trace = self.start_traced(DURABLE, lanes=lanes)
        clients = self.clients(broker, 8)
        sockets = {client.link.socket: client for client in clients}
        poller = zmq.Poller()
        for socket, client in sockets.items():
            poller.register(socket, zmq.POLLIN)
            socket.send(client.pack("restock", order=1, lines=[[TISSUES, 1]]))
        left = 200
        while left > 0:
            ready = poller.poll(PATIENCE_S * 1000)
            self.assertTrue(ready)
            for socket, _ in ready:
                client, reply = sockets[socket], msgpack.unpackb(socket.recv())
                self.assertEqual(reply["status"], "ok")
                client.order_next = reply["order"] + 1
                left -= 1
                socket.send(client.pack("restock", order=client.order_next, lines=[[TISSUES, 1]]))
        self.end_traced(broker, trace)
        replies, syncs = self.check_trace(trace)
        self.assertGreater(replies, 200)
        return replies, syncs

    def test_a_reply_leaves_after_the_sync_that_covers_it(self):
        replies, syncs = self.play_traced(16)
        self.assertLess(syncs, replies, "one sync covers several replies")

    @unittest.skipIf(is_sanitized(), "sanitizers have allocators of their own")
    def test_memory_is_not_extended_page_by_page(self):
        """Whoever extends it waits for a check of a password, which fills 64 MiB."""
        broker, trace = self.start_traced(ADDRESS_SPACE)
        client, = self.clients(broker, 1)
        endless = zmtp.frame(b"", zmtp.MORE) + zmtp.frame(b"x", zmtp.MORE) * 10000 + zmtp.frame(b"x")
        for _ in range(8):
            connection = zmtp.shake_hands(zmtp.connect(broker.port))
            self.addCleanup(connection.close)
            with self.assertRaises(ConnectionError):
                while True:
                    connection.sendall(endless)
            self.assertEqual(client.restock([TISSUES, 1])["status"], "ok")
        self.end_traced(broker, trace)
        names = [name for _, name, data, ends, _ in calls(trace)
                 if (ends if name != "write" else data.startswith(b"stockd: ready on "))]
        serving = names[names.index("write") + 1:]
        self.assertLess(len(serving), 20, "each thread may do it once or twice, and the end as well")

    def test_a_reply_on_one_lane_leaves_after_its_sync(self):
        self.play_traced(1)


if __name__ == "__main__":
    if not can_trace():
        print("strace is not there, or may not trace", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
