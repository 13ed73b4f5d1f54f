"""Neither passwords nor live tokens are left in memory, files or messages, where a dump would show them.

A core of the broker, and one of a client, is made in the middle of a run, by gcore.
"""

import glob
import os
import secrets
import shutil
import stat
import subprocess
import sys
import unittest

from zmq.auth import load_certificate

from broker import BIN, Case, PATIENCE_S, SKIPPED, STOCKD, die_with_parent, is_sanitized
from keys import Keys
from stock_client import Client

STOCKCTL = os.path.join(BIN, "stockctl")
TISSUES = 36000291452
SANITIZED = "the sanitizers have allocators of their own, and terabytes of shadow"


def core_of(pid, directory):
    """The memory of a process, as a core file would have it."""
    prefix = os.path.join(directory, "core")
    done = subprocess.run(["gcore", "-a", "-o", prefix, str(pid)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                          errors="replace", timeout=PATIENCE_S, check=False)
    path = f"{prefix}.{pid}"
    if not os.path.exists(path):
        raise AssertionError(f"no core was made: {done.stdout}")
    with open(path, "rb") as file:
        data = file.read()
    os.unlink(path)
    return data


def can_dump():
    if shutil.which("gcore") is None:
        return False
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, preexec_fn=die_with_parent) as victim:
        try:
            core_of(victim.pid, os.environ.get("TMPDIR", "/tmp"))
            return True
        except AssertionError:
            return False
        finally:
            victim.kill()


def new_password():
    """Nothing that is in memory by chance."""
    return "pw-" + secrets.token_hex(12)


def hash_of(password):
    return subprocess.run([STOCKD, "--hash-password"], input=password + "\n", encoding="utf-8",
                          stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S).stdout.strip()


def forms_of(secret):
    """A secret as it may stand somewhere: its bytes, and what a log or JSON would make of them."""
    return [secret, secret.hex().encode(), secret.hex().upper().encode()]


class Secrets(Case):
    client_keys = None  # of a connection that is encrypted
    client_options = ()  # of stockctl, likewise

    def setUp(self):
        super().setUp()
        self.passwords = {name: new_password() for name in ("north", "south", "depot")}
        users = "".join(f"{name} buy {hash_of(password)}\n"
                        for name, password in self.passwords.items())
        self.served = self.broker(users=users, **self.encryption()).start()
        self.wrong = new_password()

    def encryption(self):
        """What the broker's configuration has of it."""
        return {}

    def connect(self):
        client = Client(self.served.endpoint, keys=self.client_keys)
        self.addCleanup(client.close)
        return client

    def assert_not_in(self, secret, data, what):
        for form in forms_of(secret):
            self.assertEqual(data.count(form), 0, f"{what} holds {secret!r}")

    def log_in(self, name):
        client = self.connect()
        self.assertEqual(client.login(name, self.passwords[name])["status"], "ok")
        return client

    def work(self):
        """Logins, right and wrong, and purchases; returns clients whose sessions live on."""
        clients = [self.log_in(name) for name in self.passwords for _ in range(2)]
        stranger = self.connect()
        for name in ("north", "nobody"):
            self.assertEqual(stranger.login(name, self.wrong)["status"], "bad_credentials")
        for client in clients:
            for _ in range(5):
                self.assertEqual(client.buy([TISSUES, 1])["status"], "ok")
        return clients

    def start_client(self):
        """A stockctl that has logged in and bought, and now waits for its next command."""
        password_file = os.path.join(self.directory, "password")
        with open(password_file, "w", encoding="utf-8",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self.passwords["south"] + "\n")
        self.state = os.path.join(self.directory, "state")
        process = subprocess.Popen(
            [STOCKCTL, "--endpoint", self.served.endpoint, "--state", self.state, "--user", "south",
             "--password-file", password_file, *self.client_options, "--json", "run", "-"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
            preexec_fn=die_with_parent)
        self.addCleanup(self.end_client, process)
        process.stdin.write(f"login\nbuy {TISSUES:012d} 1\n")
        process.stdin.flush()
        self.told = []
        while len(self.told) < 2:
            line = process.stdout.readline()
            self.assertRegex(line, '"ok":true|has not answered yet')
            self.told += [line] if '"ok":true' in line else []
        return process

    @staticmethod
    def end_client(process):
        process.kill()
        process.communicate()

    @unittest.skipIf(is_sanitized(), SANITIZED)
    def test_memory_of_the_broker(self):
        clients = self.work()
        core = core_of(self.served.process.pid, self.directory)
        self.assertIn(b"north", core, "it is the core of this broker")
        for password in (*self.passwords.values(), self.wrong):
            self.assert_not_in(password.encode(), core, "the broker's memory")
        for client in clients:
            self.assert_not_in(client.token, core, "the broker's memory")

    @unittest.skipIf(is_sanitized(), SANITIZED)
    def test_memory_of_a_client(self):
        process = self.start_client()
        core = core_of(process.pid, self.directory)
        self.assertIn(b"south", core, "it is the core of this client")
        self.assert_not_in(self.passwords["south"].encode(), core, "the client's memory")

    def test_files_and_messages(self):
        clients = self.work()
        process = self.start_client()
        out, _ = process.communicate("buy 036000291452 1\n", timeout=PATIENCE_S)
        self.assertEqual(self.served.terminate(), 0)
        texts = {"the broker's log": "\n".join(self.served.lines).encode(),
                 "what the client prints": ("".join(self.told) + out).encode()}
        for path in glob.glob(os.path.join(self.served.data, "*")):
            with open(path, "rb") as file:
                texts[path] = file.read()
        self.assertGreater(len(texts), 3, "there are files")
        for what, text in texts.items():
            for password in (*self.passwords.values(), self.wrong):
                self.assert_not_in(password.encode(), text, what)
            for client in clients:
                self.assert_not_in(client.token, text, what)

    def test_files_of_a_client_hold_its_token_and_are_its_owners(self):
        self.start_client()
        paths = [path for path in glob.glob(os.path.join(self.state, "**"), recursive=True)
                 if os.path.isfile(path)]
        self.assertTrue(paths)
        for path in paths:
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
            with open(path, "rb") as file:
                self.assert_not_in(self.passwords["south"].encode(), file.read(), path)

    def test_a_broker_that_crashes_leaves_no_core(self):
        with open(f"/proc/{self.served.process.pid}/limits", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("Max core file size"))
        self.assertEqual(line.split()[4], "0", line)


class Encrypted(Secrets):
    """The same where all connections are encrypted."""

    def encryption(self):
        keys = Keys(os.path.join(self.directory, "keys"))
        self.client_keys = keys.make("shop")
        keys.allow("shop")
        self.client_options = ("--certificate", keys.path("shop"), "--broker-key", keys.certificate)
        self.secret_keys = [load_certificate(path + "_secret")[1]
                            for path in (keys.certificate, keys.path("shop"))]
        return {"curve": keys.settings}

    @unittest.skip("libzmq encrypts from a copy, which it frees as it is: see docs/security.md")
    def test_memory_of_a_client(self):
        pass

    def test_files_and_messages(self):
        super().test_files_and_messages()
        for key in self.secret_keys:
            for line in (*self.served.lines, *self.told):
                self.assertNotIn(key.decode(), line)


if __name__ == "__main__":
    if not can_dump():
        print("gcore is not there, or may not look into other processes", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
