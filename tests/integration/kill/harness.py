"""harness.py: a broker, clients and a bad network between them, as processes and sockets."""

import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

READY = "stockd: ready on "
DEADLINE_S = 30
GREETING_SIZE = 64  # ZMTP 3.1, https://rfc.zeromq.org/spec/37/


class Failure(Exception):
    """A promise was broken, or a program did not do what it has to."""


def wait_until(what, is_so):
    """Waits for a condition, with a deadline."""
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        if time.monotonic() > end:
            raise Failure(f"timed out waiting for {what}")
        time.sleep(0.005)  # tidy: sleep: looks again and again until the deadline


class Broker:
    """stockd over a data directory; it takes another port at each start."""

    def __init__(self, programs, folder, users, items):
        self.program = os.path.join(programs, "stockd")
        self.data = os.path.join(folder, "broker")
        self.config = os.path.join(folder, "broker.conf")
        self.log = os.path.join(folder, "broker.log")
        self.process = None
        self.port = 0
        self.kills = 0
        users = os.path.abspath(users)
        inventory = os.path.join(folder, "inventory.conf")
        with open(inventory, "w", encoding="utf-8") as file:
            for upc, units in items.items():
                file.write(f"{upc} {units} thing {upc}\n")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'users = "{users}"\ninventory = "{inventory}"\n')
            file.write("lanes = 4\nsegment_mib = 1\nsessions_per_user = 10000\n")

    def start(self):
        """Starts it and waits until it serves. Raises Failure when it ends instead."""
        with open(self.log, "ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen(
                [self.program, "--config", self.config, "--data", self.data]
                + ["--bind", "tcp://127.0.0.1:*"],
                stderr=log,
            )
        wait_until("the broker", lambda: self._find_port(begin))

    def _find_port(self, begin):
        with open(self.log, "rb") as log:
            log.seek(begin)
            text = log.read().decode()
        for line in text.splitlines(keepends=True):
            if line.startswith(READY) and line.endswith("\n"):
                self.port = int(line.strip().rsplit(":", 1)[1])
                return True
        if self.process.poll() is not None:
            raise Failure(f"the broker ended with {self.process.returncode}: {text}")
        return False

    def kill(self):
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def stop(self):
        """SIGTERM; it has to end with 0."""
        self.process.terminate()
        if self.process.wait(DEADLINE_S) != 0:
            raise Failure(f"the broker ended with {self.process.returncode}")

    def close(self):
        """Ends it, whatever it is doing."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Proxy:
    """A TCP proxy on a port of its own that cuts connections after a random number of bytes.

    With `swallows`, it forwards a client's request and keeps every reply to itself.
    """

    def __init__(self, broker, chance):
        self.broker = broker
        self.chance = chance
        self.bytes_max = 0  # cut within so many bytes; 0: never
        self.swallows = False
        self.swallowed = threading.Event()
        self.cuts = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self):
        """Where clients connect to."""
        return f"tcp://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.broker.port))
            except OSError:
                client.close()
                continue
            Connection(self, client, server)

    def close(self):
        """Stops taking connections."""
        self.listener.close()


class Connection:
    """One connection through the proxy."""

    def __init__(self, proxy, client, server):
        self.proxy = proxy
        self.sockets = (client, server)
        self.from_client = bytearray()
        self.is_over = False
        self.lock = threading.Lock()
        with proxy.lock:
            self.left = proxy.chance.randint(1, proxy.bytes_max) if proxy.bytes_max else None
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _request_left(self):
        """Has the client sent more than its greeting and its READY command?"""
        sent = self.from_client
        return len(sent) > GREETING_SIZE + 2 and len(sent) > GREETING_SIZE + 2 + sent[65]

    def _pump(self, source, target):
        is_request = source is self.sockets[0]
        try:
            while data := source.recv(65536):
                if not self._pass(data, target, is_request):
                    break
        except OSError:
            pass
        self._end()

    def _pass(self, data, target, is_request):
        """Forwards bytes. Returns False when that was the last of the connection."""
        with self.lock:
            if is_request and len(self.from_client) < 4096:
                self.from_client += data
            if not is_request and self.proxy.swallows and self._request_left():
                self.proxy.swallowed.set()
                return True
            if self.left is not None:
                data = data[: self.left]
                self.left -= len(data)
        target.sendall(data)
        if self.left == 0:
            with self.proxy.lock:
                self.proxy.cuts += 1
            return False
        return True

    def _end(self):
        with self.lock:
            if self.is_over:
                return
            self.is_over = True
        for one in self.sockets:
            try:
                # Reset rather than closed in good order: what is under way is lost.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


class Client:
    """stockctl over a state directory."""

    def __init__(self, programs, folder, name, user, password):
        self.program = os.path.join(programs, "stockctl")
        self.state = os.path.join(folder, f"client-{name}")
        self.user = user
        self.environment = dict(os.environ, STOCK_PASSWORD=password)
        self.endpoint = ""
        self.timeout_ms = 800
        self.message = ""

    def begin(self, *words):
        """Starts a command."""
        return subprocess.Popen(
            [self.program, "--json", "--endpoint", self.endpoint, "--state", self.state]
            + ["--timeout", str(self.timeout_ms), *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def end(self, process):
        """Waits for a command. Returns its exit status and its answer, which may be {}."""
        out, err = process.communicate(timeout=DEADLINE_S)
        self.message = err.decode()
        if process.returncode not in (0, 1, 2, 3, 4, 5, 6, -signal.SIGKILL):
            raise Failure(f"stockctl ended with {process.returncode}: {self.message}")
        lines = out.decode().splitlines()
        if process.returncode == -signal.SIGKILL or not lines:
            return process.returncode, {}
        return process.returncode, json.loads(lines[-1])

    def run(self, *words):
        """Runs a command to its end."""
        return self.end(self.begin(*words))

    def must(self, *words):
        """Runs a command that has to succeed; returns its answer."""
        status, answer = self.run(*words)
        if status != 0:
            raise Failure(f"stockctl {' '.join(words)}: {status}: {self.message}")
        return answer

    def resolve(self):
        """Settles what is pending, for as long as it takes. Returns the answer."""
        end = time.monotonic() + DEADLINE_S
        while True:
            status, answer = self.run("resolve")
            if status in (0, 1):
                return answer
            if status not in (4, 5) or time.monotonic() > end:
                raise Failure(f"resolve ends with {status}: {self.message}")

    def local(self):
        """Returns the local inventory as UPC -> units; nothing may be pending."""
        answer = self.must("local")
        if answer["pending"] is not None or answer["set_aside"]:
            raise Failure(f"{self.state}: not settled: {answer}")
        return {item["upc"]: item["units"] for item in answer["items"]}

    def levels(self):
        """Returns the server inventory as UPC -> units."""
        return {item["upc"]: item["units"] for item in self.must("inventory")["items"]}


def upc_of(number):
    """Returns a UPC-A with its check digit (GS1 General Specifications, 7.9)."""
    digits = f"{number:011}"
    total = sum(int(digit) * (1 if n % 2 else 3) for n, digit in enumerate(digits))
    return digits + str(-total % 10)


def chance_of(seed):
    """Returns a source of chance, and says how to have it again."""
    print(f"seed {seed}", flush=True)
    return random.Random(seed)
