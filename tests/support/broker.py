"""Runs the built stockd for the tests that drive it from outside."""

import contextlib
import ctypes
import glob
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

BIN = os.environ["STOCKBUS_BIN"]
SOURCE = os.environ["STOCKBUS_SOURCE"]
STOCKD = os.path.join(BIN, "stockd")
CONF = os.path.join(SOURCE, "conf")
PATIENCE_S = 60  # for what comes soon on any machine that is not stuck
SKIPPED = 77  # exit status that ctest takes for "skipped"

# The users of conf/, with hashes that are checked in no time.
USERS = """\
north  buy          $argon2id$v=19$m=8,t=1,p=1$7LsxM6m+kmdlqIeEuhRCZA$/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki+K5xw
south  buy          $argon2id$v=19$m=8,t=1,p=1$BbMq2CmG+8UQ3pQpIumxhA$aSZgXOXuj+hHZZo4WAOVRn8nDYBsB7jYipqnkNeakso
depot  buy,restock  $argon2id$v=19$m=8,t=1,p=1$OKcB6ALjukKcep+4v3gYPQ$6vsNGrd0xDy42hYcO1hGocT0mtNA4fT+WevnZlYUWFs
"""
# The same, and one whose hash takes seconds.
USERS_AND_SLOW = USERS + """\
slow   buy          $argon2id$v=19$m=65536,t=60,p=1$4w7a8WAF8J43jezlb/IqcA$+ZjphbBAkCH2k1/VfZsSoyNwmEKAOL5hh5d3faYNKsU
"""
PASSWORDS = {"north": "apple", "south": "banana", "depot": "cherry", "slow": "patience"}

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """Runs in a child before its program: a test that is killed leaves no broker behind."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, what):
    """Waits for a condition and returns what it gave; fails when it does not come true."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"in vain waited for: {what}")
        os.sched_yield()


def is_sanitized():
    """Were the programs built with sanitizers, which have allocators, threads and libraries of their own?"""
    with open(STOCKD, "rb") as file:
        return re.search(rb"__[at]san_init", file.read()) is not None


def run_stockd(*arguments, **more):
    """Runs stockd to its end; out and err are texts."""
    return subprocess.run([STOCKD, *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                          timeout=PATIENCE_S, preexec_fn=die_with_parent, **more)


def upc_of(number):
    """The valid UPC-A whose first eleven digits are `number`."""
    digits = f"{number:011d}"
    total = 3 * sum(map(int, digits[0::2])) + sum(map(int, digits[1::2]))
    return int(digits + str(-total % 10))


class Broker:
    """One stockd with a configuration, data directory and port of its own."""

    def __init__(self, directory, inventory=None, users=USERS, bind="tcp://127.0.0.1:*", **settings):
        """`inventory` is the text of inventory.conf; without it, that of conf/ is served.

        `users` likewise, where None stands for that of conf/. `settings` go into broker.conf.
        """
        self.directory = directory
        self.data = os.path.join(directory, "data")
        self.config = os.path.join(directory, "broker.conf")
        self.process = None
        self.endpoint = None
        self.lines = []
        os.makedirs(directory, exist_ok=True)
        values = {"bind": bind, "data": self.data, "segment_mib": 1, "lanes": 16,
                  "users": self.file("users.conf", users),
                  "inventory": self.file("inventory.conf", inventory)}
        values.update(settings)
        self.write_config(values)

    def write_config(self, values):
        """Writes broker.conf; a value that is a dictionary becomes a section."""
        with open(self.config, "w", encoding="utf-8") as file:
            for key, value in values.items():
                if isinstance(value, dict):
                    file.write(f"{key}\n")
                    file.writelines(f'    {name} = "{text}"\n' for name, text in value.items())
                else:
                    file.write(f'{key} = "{value}"\n')

    def file(self, name, text):
        """Writes a file of the configuration and returns its path."""
        if text is None:
            return os.path.join(CONF, name)
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def start(self, wrapper=(), environment=None, fds=(), preexec_fn=die_with_parent):
        """Starts it and waits until it serves. `wrapper` is a command that runs it."""
        self.launch(wrapper, environment, fds, preexec_fn)
        line = self.wait_for_line(r"stockd: ready on (tcp://\S+)$")
        self.endpoint = line.group(1)
        return self

    def launch(self, wrapper=(), environment=None, fds=(), preexec_fn=die_with_parent):
        """Starts it without waiting. `fds` are descriptors that it inherits."""
        self.lines = []
        self.changed = threading.Condition()
        self.ended = False
        self.process = subprocess.Popen(
            [*wrapper, STOCKD, "--config", self.config], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
            preexec_fn=preexec_fn, pass_fds=fds, env={**os.environ, **(environment or {})})
        self.reader = threading.Thread(target=self.read_lines, args=(self.process.stderr,))
        self.reader.start()

    def read_lines(self, stream):
        with stream:
            for line in stream:
                with self.changed:
                    self.lines.append(line.rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for_line(self, pattern):
        """Waits until it has written a line that matches; returns the match."""
        def found():
            return next(filter(None, (re.search(pattern, line) for line in self.lines)), None)
        with self.changed:
            self.changed.wait_for(lambda: found() or self.ended, PATIENCE_S)
            match = found()
        if match is None:
            raise AssertionError(f"stockd did not write {pattern!r}, but: {self.lines}")
        return match

    @property
    def port(self):
        return int(self.endpoint.rsplit(":", 1)[1])

    def threads(self):
        """What each of its threads waits for in the kernel, as far as one may see that, in words."""
        lines = []
        for path in glob.glob(f"/proc/{self.process.pid}/task/*") if self.process else ():
            words = []
            for name in ("comm", "wchan", "syscall"):
                with contextlib.suppress(OSError):
                    with open(os.path.join(path, name), encoding="ascii") as file:
                        words.append(file.read().strip())
            lines.append(" ".join(words))
        return "\n".join(lines)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Waits until it has ended; returns its exit status."""
        status = self.process.wait(PATIENCE_S)
        self.reader.join()
        return status

    def terminate(self):
        """Ends it in order; returns its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """Ends it as a crash would. Nothing happens if it has ended already."""
        if self.process is not None:
            self.process.kill()
            self.wait()

    def restart(self, crash):
        """Ends it, in order or as a crash would, and starts it again on the same data."""
        if crash:
            self.kill()
        else:
            assert self.terminate() == 0, self.lines
        return self.start()


class Case(unittest.TestCase):
    """A test with a directory of its own."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="stockbus-test-")
        self.addCleanup(self.scratch.cleanup)
        self.directory = self.scratch.name

    def broker(self, name="broker", **options):
        """A broker that is gone when the test is over. Not started yet."""
        broker = Broker(os.path.join(self.directory, name), **options)
        self.addCleanup(broker.kill)
        return broker
