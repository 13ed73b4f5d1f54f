"""The servers that the measurements of the bus run against: each on loopback, in a folder of its own.

A server has a name, a start() and a stop(); it stays up from one measurement to the next, idle while
it is not its turn. Every one sells the same items, numbered as in tests/bench/bus/load.c.
"""

import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUS = os.path.join(HERE, "bus")
BUILD = os.path.join(HERE, "..", "..", "build", "release")
LOAD = os.path.join(BUILD, "tests", "load")
UNITS = 1_000_000_000_000  # of each item: never sold out
PATIENCE_S = 120


def upc_of(number):
    """UPC `number` of those that are sold, with its check digit; as load_upc() in load.c."""
    body = 10_000_000_000 + number
    digits = [int(digit) for digit in str(body)]
    total = sum(digit * (3 if i % 2 == 0 else 1) for i, digit in enumerate(reversed(digits)))
    return body * 10 + -total % 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process and the port it listens on."""

    def __init__(self, folder, items):
        self.folder = os.path.join(folder, self.name)
        self.items = items
        self.port = None
        self.process = None
        os.makedirs(self.folder, exist_ok=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def spawn(self, *command, **more):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log,
                                            stdout=more.pop("stdout", log), **more)

    def fail(self, what):
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            raise SystemExit(f"{self.name}: {what}\n{log.read()[-2000:]}")

    def wait_for(self, condition, what):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if self.process.poll() is not None:
                self.fail(f"ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                self.fail(f"in vain waited for: {what}")
            time.sleep(0.02)

    def accepts(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)
        self.process = None

    def load(self, **options):
        """Runs the load generator on this server and returns what it reports."""
        options = {"peer": self.peer, "port": self.port, "items": self.items,
                   "login": os.path.join(BUS, "login"), **options}
        command = [LOAD]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8", env={**os.environ, "LOAD_SCRIPTS": BUS},
                              check=False)
        if done.returncode != 0:
            self.fail(f"{' '.join(command)}: {done.stderr}")
        return json.loads(done.stdout)


class Bus(Server):
    name, peer, label, durable = "bus", "bus", "Stockbus", True

    def __init__(self, folder, items, binary=None, **settings):
        super().__init__(folder, items)
        self.binary = binary or os.path.join(BUILD, "bin", "stockd")
        self.settings = {"sessions": 10_000_000, "sessions_per_user": 10_000_000, **settings}

    def start(self):
        if not os.path.exists(self.path("inventory.conf")):
            with open(self.path("inventory.conf"), "w", encoding="utf-8") as file:
                for i in range(self.items):
                    file.write(f"{upc_of(i):012d} {UNITS} Item {i + 1}\n")
        with open(self.path("broker.conf"), "w", encoding="utf-8") as file:
            file.write(f'users = "{BUS}/users.conf"\ninventory = "inventory.conf"\n'
                       'data = "data"\n')
            file.writelines(f"{key} = {value}\n" for key, value in self.settings.items())
        with open(self.path("log"), "wb"):
            pass
        self.spawn(self.binary, "--config", self.path("broker.conf"), "--bind",
                   "tcp://127.0.0.1:*")
        self.wait_for(self.ready, "ready")

    def ready(self):
        with open(self.path("log"), encoding="utf-8") as log:
            for line in log:
                if line.startswith("stockd: ready on "):
                    self.port = int(line.rsplit(":", 1)[1])
                    return True
        return False

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Redis(Server):
    name, peer, label, durable = "redis", "redis", "Redis, Lua, appendfsync always", True
    persistence = ["--appendonly", "yes", "--appendfsync", "always"]

    def start(self):
        self.port = free_port()
        # Not rewriting its file in the middle of a measurement is a kindness to it.
        self.spawn("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
                   self.folder, "--save", "", "--auto-aof-rewrite-percentage", "0",
                   "--daemonize", "no", *self.persistence)
        self.wait_for(self.accepts, "its port")
        commands = []
        for i in range(self.items):
            key = f"i:{upc_of(i)}"
            commands += [f"SET {key} {UNITS}\r\n", f"RPUSH items {key}\r\n"]
        done = subprocess.run(["redis-cli", "-p", str(self.port), "--pipe"], check=False,
                              input="".join(commands), encoding="ascii", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if f"errors: 0, replies: {len(commands)}" not in done.stdout:
            self.fail(done.stdout)


class RedisMemory(Redis):
    name, label, durable = "redis_memory", "Redis, Lua, no file", False
    persistence = ["--appendonly", "no"]


class Postgres(Server):
    name, peer, label, durable = "statement", "statement", "PostgreSQL, one statement", True

    def start(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        who = {}
        if os.getuid() == 0:  # which PostgreSQL refuses to run as
            user = pwd.getpwnam("postgres")
            who = {"user": user.pw_uid, "group": user.pw_gid}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": self.folder, **who}
        subprocess.run([f"{programs}/initdb", "-D", self.path("data"), "-U", "postgres", "-A",
                        "trust", "--no-instructions"], **run)
        self.port = free_port()
        self.spawn(f"{programs}/postgres", "-D", self.path("data"), "-p", str(self.port), "-c",
                   "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
                   "-c", "max_connections=600", cwd=self.folder, **who)
        ready = [f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        self.wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, "its port")
        psql = [f"{programs}/psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                str(self.port), "-U", "postgres"]
        subprocess.run([*psql, "-c", "CREATE DATABASE stock"], **run)
        with open(os.path.join(BUS, "postgres.sql"), encoding="utf-8") as file:
            script = file.read()
        rows = "".join(f"{upc_of(i)},{UNITS}\n" for i in range(self.items))
        subprocess.run([*psql, "-d", "stock", "-f", "-"], input=script + rows + "\\.\nANALYZE;\n",
                       encoding="ascii", **run)

    def stop(self, number=signal.SIGINT):  # at once, without waiting for connections
        super().stop(number)


class PostgresTransaction:
    """The same server as `statement`, asked in another way."""
    name, peer, label, durable = ("transaction", "transaction",
                                  "PostgreSQL, transaction of four statements", True)

    def __init__(self, statement):
        self.statement = statement

    def load(self, **options):
        return self.statement.load(**{"peer": self.peer, **options})

    def start(self):
        pass

    def stop(self):
        pass


class Printing(Server):
    """A server that prints the port it has taken."""

    def command(self):
        raise NotImplementedError

    def start(self):
        self.spawn(*self.command(), stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())


class Echo(Printing):
    name, peer, label, durable = "echo", "echo", "libzmq, REP echo", False

    def command(self):
        return [os.path.join(BUILD, "tests", "echo")]


class Pickle(Printing):
    name, peer, label, durable = "pickle", "pickle", "Python, threads, pickle", False

    def command(self):
        with open(self.path("items"), "w", encoding="ascii") as file:
            file.writelines(f"{upc_of(i)},{UNITS}\n" for i in range(self.items))
        return ["/usr/bin/python3", os.path.join(BUS, "server_pickle.py"), self.path("items")]


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
