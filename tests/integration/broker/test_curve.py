"""Encryption: who may connect, and who may go on."""

import os
import signal
import socket
import stat
import subprocess
import unittest

from zmq.auth import create_certificates

from broker import (Case, PASSWORDS, PATIENCE_S, USERS, die_with_parent, run_stockd,
                    wait_until)
from keys import STOCKCTL, Keys, is_refused
from stock_client import Client, pack, unpack

TISSUES = 36000291452
CROWD = 90  # connections: more than there are places for logins
TRIES = 8  # of what must fail each time: connections are spread over the lanes


class Encrypted(Case):
    """A test with a broker that encrypts, and one client, 'shop', that may connect."""

    def setUp(self):
        super().setUp()
        self.keys = Keys(os.path.join(self.directory, "keys"))
        self.shop = self.keys.make("shop")
        self.keys.allow("shop")

    def serve(self, **settings):
        return self.broker(lanes=4, curve=self.keys.settings, **settings).start()

    def connect(self, served, keys=None):
        client = Client(served.endpoint, keys=keys or self.shop)
        self.addCleanup(client.close)
        return client

    def log_in(self, served, keys=None):
        client = self.connect(served, keys)
        self.assertEqual(client.login("north", PASSWORDS["north"])["status"], "ok")
        return client

    def reload(self, served, pattern="read the keys again"):
        """Has it read its files again; returns what it said of the keys."""
        served.lines.clear()
        served.signal(signal.SIGHUP)
        return served.wait_for_line(rf"stockd: (.*{pattern}.*)").group(1)

    def assert_refused(self, served, keys=None, tries=TRIES):
        for _ in range(tries):
            self.assertTrue(is_refused(served.endpoint, keys))

    def check_and_start(self, *words, **curve):
        """The same is told by --check-config and at a start, which ends with 2."""
        served = self.broker("bad", curve={**self.keys.settings, **curve})
        for arguments in (["--check-config"], []):
            told = run_stockd("--config", served.config, *arguments)
            self.assertEqual(told.returncode, 2, told)
            self.assertRegex(told.stderr, r"\Astockd: [^\n]+\n\Z", "is one line")
            for word in words:
                self.assertIn(word, told.stderr)
        return told.stderr

    def stockctl(self, served, *arguments, certificate="shop", broker="broker", **environment):
        keys = [] if certificate is None else [
            "--certificate", self.keys.path(certificate), "--broker-key", self.keys.path(broker)]
        return subprocess.run(
            [STOCKCTL, "--endpoint", served.endpoint, "--state", os.path.join(self.directory, "state"),
             *keys, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            timeout=PATIENCE_S, preexec_fn=die_with_parent,
            env={**os.environ, "STOCK_PASSWORD": "apple", **environment})


class Access(Encrypted):
    def test_a_client_whose_key_is_in_the_folder_is_served(self):
        served = self.serve()
        client = self.log_in(served)
        self.assertEqual(client.buy([TISSUES, 3])["status"], "ok")
        self.assertEqual(client.units(TISSUES), 97)
        self.assertEqual(client.logout()["status"], "ok")

    def test_an_unknown_key_is_refused(self):
        served = self.serve(log_level="debug")
        stranger = self.keys.make("stranger")
        self.assert_refused(served, stranger)
        self.assertFalse(is_refused(served.endpoint, self.shop))
        line = served.wait_for_line(r"debug: refused the key '(.*)' of a client at 127.0.0.1$")
        self.assertEqual(line.group(1), stranger[1].decode())

    def test_a_client_that_does_not_encrypt_is_refused(self):
        served = self.serve()
        self.assert_refused(served)
        self.assertFalse(is_refused(served.endpoint, self.shop))

    def test_a_client_that_encrypts_gets_no_word_from_a_broker_that_does_not(self):
        plain = self.broker("plain").start()
        self.assert_refused(plain, self.shop, tries=1)

    def test_a_client_that_expects_another_broker_is_refused(self):
        served = self.serve()
        other = Keys(os.path.join(self.directory, "other"))
        wrong = (other.make("shop")[0], *self.shop[1:])
        self.assert_refused(served, wrong, tries=1)

    def test_an_empty_folder_lets_nobody_in(self):
        self.keys.forbid("shop")
        served = self.serve()
        self.assert_refused(served, self.shop)
        self.assert_refused(served)

    def test_one_lane_is_as_closed_as_many(self):
        served = self.broker(lanes=1, curve=self.keys.settings).start()
        self.assert_refused(served, self.keys.make("stranger"), tries=2)
        self.assert_refused(served, tries=2)
        self.assertEqual(self.connect(served).ping()["status"], "ok")

    def test_many_connections_with_one_key_bear_their_logins_together(self):
        served = self.serve()
        other = self.keys.make("other")
        self.keys.allow("other")
        self.reload(served)
        crowd = [self.connect(served) for _ in range(CROWD)]
        for client in crowd:
            self.assertEqual(client.ping()["status"], "ok")
        south = self.connect(served, other)
        south.ping()
        # Each its first, and all for one name. The last ones take the places of those that were wrong.
        for some in (crowd[:CROWD // 2], crowd[CROWD // 2:-20], crowd[-20:]):
            for client in some:
                client.link.socket.send(
                    pack("login", nonce=os.urandom(16), user="north", password="wrong"))
            for client in some:
                client.link.socket.recv()
        reply = south.ask(pack("login", nonce=os.urandom(16), user="south",
                               password=PASSWORDS["south"]))
        self.assertNotIn("too many logins at once", reply.get("message", ""))
        self.assertEqual(south.login("south", PASSWORDS["south"])["status"], "ok")

    def talk(self, served, parts):
        """Sends each part when the peer's words have what stands with it; returns all that came."""
        got = b""
        with socket.create_connection(("127.0.0.1", served.port), PATIENCE_S) as connection:
            try:
                for awaited, part in parts:
                    while awaited not in got:
                        more = connection.recv(4096)
                        if not more:
                            return got
                        got += more
                    connection.sendall(part)
                while b"status" not in got and (more := connection.recv(4096)):
                    got += more
            except ConnectionError:
                pass
        return got

    def test_who_skips_the_handshake_is_refused(self):
        """Raw words of every version of ZMTP, with a ping behind them."""
        ping = pack("ping")
        signature = b"\xff" + bytes(8) + b"\x7f"
        null = signature + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
        curve = signature + b"\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32)
        ready = b"\x04\x26\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ\x08Identity\x00\x00\x00\x00"
        frames = b"\x01\x00" + b"\x00" + bytes([len(ping)]) + ping
        older = [
            [(b"", b"\x01\x00" + b"\x01\x01" + bytes([len(ping) + 1]) + b"\x00" + ping)],
            [(b"", signature + b"\x01\x03\x00\x00" + frames)],
        ]
        understood = [(b"", null), (b"NULL", ready), (b"READY", frames)]
        others = [
            [(b"", null + ready + frames)],
            [(b"", curve), (b"CURVE", frames)],
            [(b"", curve), (b"CURVE", ready), (b"", frames)],
        ]
        served = self.serve()
        plain = self.broker("plain").start()
        self.assertIn(b"status", self.talk(plain, understood), "it is understood in plain text")
        for parts in [understood] + older + others:
            self.assertNotIn(b"status", self.talk(served, parts), parts)
        for parts in older:
            self.assertNotIn(b"status", self.talk(plain, parts), parts)

    def test_a_key_is_no_password(self):
        served = self.serve()
        client = self.connect(served)
        self.assertEqual(client.login("north", "banana")["status"], "bad_credentials")

    def test_certificates_that_others_made_are_as_good(self):
        create_certificates(self.keys.directory, "zmq")
        os.rename(os.path.join(self.keys.directory, "zmq.key"),
                  os.path.join(self.keys.clients, "zmq.key"))
        with open(os.path.join(self.keys.directory, "zmq.key_secret"), encoding="utf-8") as file:
            text = file.read()
        with open(self.keys.path("zmq") + "_secret", "w", encoding="utf-8") as file:
            file.write(text)
        self.assertEqual(self.connect(self.serve(), self.keys.of("zmq")).ping()["status"], "ok")


class Revocation(Encrypted):
    def test_the_next_request_of_a_revoked_key_is_refused_on_a_live_connection(self):
        served = self.serve(log_level="debug")
        client = self.log_in(served)
        self.assertEqual(client.buy([TISSUES, 1])["status"], "ok")
        self.keys.forbid("shop")
        self.assertIn("those that may connect: 0", self.reload(served))
        for reply in (client.ping(), client.view(TISSUES), client.buy([TISSUES, 1]),
                      client.void(2), client.logout(), client.login("north", PASSWORDS["north"])):
            self.assertEqual(reply["status"], "forbidden")
            self.assertNotIn("order", reply)
        line = served.wait_for_line(r"refused a request from a client at 127.0.0.1 with the key '(.*)'$")
        self.assertEqual(line.group(1), self.shop[1].decode())
        refused = unpack(client.link.exchange([b"several", b"frames"]))
        self.assertEqual(refused["status"], "forbidden")
        self.assert_refused(served, self.shop)

        self.keys.allow("shop")
        self.reload(served)
        self.assertEqual(client.ping()["status"], "ok", "the connection is as good as before")
        self.assertEqual(client.units(TISSUES), 99)
        self.assertFalse(is_refused(served.endpoint, self.shop))

    def test_others_are_served_all_along(self):
        other = self.keys.make("other")
        self.keys.allow("other")
        served = self.serve()
        client = self.log_in(served, other)
        self.keys.forbid("shop")
        self.assertIn("those that may connect: 1", self.reload(served))
        self.assertEqual(client.buy([TISSUES, 1])["status"], "ok")
        self.assertFalse(is_refused(served.endpoint, other))

    def test_a_key_that_is_added_is_served_from_sighup_on(self):
        served = self.serve()
        late = self.keys.make("late")
        self.keys.allow("late")
        self.assert_refused(served, late)
        self.reload(served)
        self.assertEqual(self.connect(served, late).ping()["status"], "ok")

    def test_an_order_whose_first_copy_may_have_been_made_stays_pending(self):
        served = self.serve()
        self.assertEqual(self.stockctl(served, "login", "north").returncode, 0)
        served.kill()  # the order is written down, and nobody answers
        told = self.stockctl(served, "--timeout", "200", "buy", "036000291452", "1")
        self.assertEqual(told.returncode, 5, told)
        self.keys.forbid("shop")
        again = self.broker("again", lanes=4, curve=self.keys.settings, data=served.data,
                            bind=served.endpoint).start()
        told = self.stockctl(again, "resolve")
        self.assertEqual(told.returncode, 5, told)
        self.assertIn('"pending":{', self.stockctl(again, "--json", "local").stdout)


class Ending(Encrypted):
    def test_unknown_keys_are_refused_until_it_has_ended(self):
        """The loop is held by a file that it reads; handshakes go on beside it."""
        served = self.serve()
        stranger = self.keys.make("stranger")
        client = self.log_in(served)
        users = os.path.join(served.directory, "users.conf")
        os.remove(users)
        os.mkfifo(users, 0o600)
        served.signal(signal.SIGHUP)

        def hold():
            try:
                return os.open(users, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads yet
                return None
        held = wait_until(hold, "the reader")
        client.link.socket.send(client.pack("buy", order=1, lines=[[TISSUES, 1]]))
        served.signal(signal.SIGTERM)
        self.assert_refused(served, stranger)
        self.assert_refused(served)
        self.assertFalse(is_refused(served.endpoint, self.shop))
        self.assertIsNone(served.process.poll())
        os.write(held, USERS.encode())
        os.close(held)
        self.assertEqual(served.wait(), 0, served.lines)


class Files(Encrypted):
    def test_the_check_of_the_configuration_counts_the_keys(self):
        self.keys.make("another")
        self.keys.allow("another")
        served = self.broker("checked", curve=self.keys.settings)
        told = run_stockd("--config", served.config, "--check-config")
        self.assertEqual(told.returncode, 0, told)
        self.assertIn("connections are encrypted; keys that may connect: 2\n", told.stderr)

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def test_the_secret_half_is_its_owners_alone_and_nothing_is_overwritten(self):
        for make, words in ((run_stockd, ["--keygen"]),
                            (lambda *more: subprocess.run([STOCKCTL, *more], stdout=subprocess.PIPE,
                                                          stderr=subprocess.PIPE, encoding="utf-8"),
                             ["keygen"])):
            path = self.keys.path(words[0])
            made = make(*words, path)
            self.assertEqual(made.returncode, 0, made)
            contents = {}
            for name, mode in ((path, 0o644), (path + "_secret", 0o600)):
                self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), mode)
                with open(name, encoding="utf-8") as file:
                    contents[name] = file.read()
                self.assertIn(name, made.stdout)
            public = contents[path].split('"')[1]
            secret = contents[path + "_secret"].split('"')[3]
            self.assertIn(f"public key: {public}\n", made.stdout)
            self.assertNotIn(secret, made.stdout + made.stderr)
            for gone in (None, path, path + "_secret"):
                if gone:
                    os.rename(gone, gone + ".away")
                told = make(*words, path)
                self.assertEqual((told.returncode, told.stdout), (2, ""))
                self.assertIn("exists already", told.stderr)
                if gone:
                    self.assertFalse(os.path.exists(gone), "half a certificate is left")
                    os.rename(gone + ".away", gone)
                for name, content in contents.items():
                    with open(name, encoding="utf-8") as file:
                        self.assertEqual(file.read(), content)

    def test_a_certificate_that_cannot_be_written_is_told(self):
        path = os.path.join(self.directory, "nowhere", "b.cert")
        told = run_stockd("--keygen", path)
        self.assertEqual((told.returncode, told.stdout), (1, ""))
        self.assertIn(f"{path}_secret: not found", told.stderr)

    def test_half_an_encryption_is_refused(self):
        for name in ("certificate", "clients"):
            served = self.broker("half-" + name, curve={name: self.keys.settings[name]})
            told = run_stockd("--config", served.config)
            self.assertEqual(told.returncode, 2)
            self.assertIn("certificate and clients go together", told.stderr)

    def test_a_bad_certificate_of_the_broker_is_named(self):
        path = self.keys.certificate + "_secret"
        with open(path, encoding="utf-8") as file:
            good = file.read()
        secret = good.split('"')[3]
        other = self.keys.of("shop")[2].decode()
        for text, words in ((good.replace(secret, other), "are no pair"),
                            (good.replace(secret, secret[:-1]), "curve/secret-key: "),
                            (good.replace(secret, secret[:-1] + "|"), "no key of 40 characters"),
                            (good.replace("secret-key", "public-key"), "stands twice"),
                            (good.replace("    secret", "  secret"), "line "),
                            (good.split("    secret")[0], "curve/secret-key is missing"),
                            (good[:-2], "line "), ("", "is missing")):
            with self.subTest(words):
                self.write(path, text)
                told = self.check_and_start(path, words)
                self.assertNotIn(secret[:10], told)
                self.assertNotIn(other[:10], told)
        os.remove(path)
        self.check_and_start(f"{path}: not found")

    def secret_half(self, name):
        with open(self.keys.path(name) + "_secret", encoding="utf-8") as file:
            return file.read()

    def test_a_bad_certificate_of_a_client_is_named_and_lets_nobody_in(self):
        gone = self.keys.make("gone")
        self.keys.allow("gone")
        served = self.serve()
        client = self.log_in(served, gone)
        bad = os.path.join(self.keys.clients, "bad.cert")
        with open(self.keys.path("shop"), encoding="utf-8") as file:
            good = file.read()
        for text, words in (("", "curve/public-key is missing"), ("nonsense\n" * 3, ""),
                            (good[:-5], ""), (good.replace("public-key", "secret-key"), "the secret half"),
                            (self.secret_half("gone"), "the secret half"),
                            (good.replace("curve", "carve"), "no certificate: carve: there is no such key"),
                            ("curve = 3\n", "no certificate: curve: is a section")):
            with self.subTest(text[-20:]):
                self.write(bad, text)
                self.check_and_start(f"{bad}: ", words)
                told = self.reload(served, "it lets nobody in")
                self.assertIn(f"{bad}: ", told)
                served.wait_for_line("read the keys again; those that may connect: 2")
                self.assertFalse(is_refused(served.endpoint, self.shop))
                self.assert_refused(served, self.keys.of("broker"), tries=1)
        # One that is taken off in the same moment is off, and one that is damaged as well.
        self.keys.forbid("gone")
        self.write(os.path.join(self.keys.clients, "shop.cert"), "nonsense\n" * 3)
        self.reload(served)
        served.wait_for_line("read the keys again; those that may connect: 0")
        self.assertEqual(client.ping()["status"], "forbidden")
        self.assert_refused(served, gone, tries=1)
        self.assert_refused(served, self.shop, tries=1)
        self.keys.allow("shop")
        os.remove(bad)
        self.reload(served)
        self.keys.forbid("shop")
        os.rmdir(self.keys.clients)
        self.assertIn(f"{self.keys.clients}: ", self.reload(served, "the keys stay as they were"))
        self.assertFalse(is_refused(served.endpoint, self.shop))
        self.check_and_start(f"{self.keys.clients}: not found")

    def test_files_that_are_no_certificates_by_name_are_passed_over(self):
        self.write(os.path.join(self.keys.clients, ".shop.cert.swp"), "nonsense\n")
        stranger = self.keys.make("stranger")
        os.rename(self.keys.path("stranger") + "_secret",
                  os.path.join(self.keys.clients, "stranger.cert_secret"))
        served = self.serve()
        self.assertIn("keys that may connect: 1", "\n".join(served.lines))
        self.assert_refused(served, stranger, tries=1)

    def test_metadata_of_any_size_does_no_harm(self):
        with open(self.keys.path("shop"), encoding="utf-8") as file:
            good = file.read()
        many = "".join(f'    note-{i} = "{"x" * 40}"\n' for i in range(500))
        for number, notes in enumerate([f'    note = "{"x" * 4096}"\n',
                                        f'    note = "{"x" * 100000}"\n', many]):
            self.write(os.path.join(self.keys.clients, "shop.cert"),
                       good.replace("metadata\n", "metadata\n" + notes))
            served = self.broker(f"meta-{number}", lanes=2, curve=self.keys.settings).start()
            client = self.log_in(served)
            self.assertEqual(client.buy([TISSUES, 1])["status"], "ok")
            self.reload(served)
            self.assertEqual(client.ping()["status"], "ok")
            self.assert_refused(served, self.keys.of("broker"), tries=1)


class Addresses(Encrypted):
    def test_encryption_serves_any_address(self):
        served = self.serve(bind="tcp://0.0.0.0:*",
                            users=USERS.replace("south  buy ", "south  buy,demo "))
        served.endpoint = f"tcp://127.0.0.1:{served.port}"
        client = self.connect(served)
        self.assertEqual(client.login("south", PASSWORDS["south"])["status"], "bad_credentials",
                         "demonstration users stay on loopback")
        self.assertEqual(client.login("north", PASSWORDS["north"])["status"], "ok")

    def test_demonstration_users_alone_do_not_leave_loopback(self):
        served = self.broker(bind="tcp://0.0.0.0:*", users=None, curve=self.keys.settings)
        told = run_stockd("--config", served.config)
        self.assertEqual(told.returncode, 2)
        self.assertIn("holds no account that may log in beyond", told.stderr)


class Programs(Encrypted):
    def test_stockctl_buys_over_an_encrypted_link(self):
        served = self.serve()
        for arguments in (["login", "north"], ["buy", "036000291452", "3"], ["logout"]):
            told = self.stockctl(served, *arguments)
            self.assertEqual(told.returncode, 0, told)

    def test_a_refusal_is_told_with_what_may_be_behind_it(self):
        served = self.serve()
        self.keys.make("stranger")
        other = Keys(os.path.join(self.directory, "other"))
        os.rename(other.certificate, self.keys.path("another"))
        for more in ({"certificate": "stranger"}, {"broker": "another"}):
            told = self.stockctl(served, "--timeout", "300", "ping", **more)
            self.assertEqual(told.returncode, 4, told)
            self.assertIn(" (is it running at that address, does it encrypt, is this client's key in its folder, and "
                          "--broker-key its own?)", told.stderr)

    def test_a_client_without_a_certificate_is_told_what_may_be_behind_the_silence(self):
        served = self.serve()
        hint = ("stockctl: is the broker running, and at that address? does it encrypt? then it wants "
                "--certificate and --broker-key\n")
        told = self.stockctl(served, "--timeout", "300", "ping", certificate=None)
        self.assertEqual(told.returncode, 4, told)
        self.assertTrue(told.stderr.endswith(f" seconds\n{hint}"), told)
        self.assertEqual(self.stockctl(served, "login", "north").returncode, 0)
        self.assertNotIn(hint, self.stockctl(served, "--timeout", "300", "ping", certificate=None).stderr)

    def test_a_revoked_client_is_told_so(self):
        served = self.serve()
        self.assertEqual(self.stockctl(served, "login", "north").returncode, 0)
        with subprocess.Popen(
                [STOCKCTL, "--endpoint", served.endpoint, "--state",
                 os.path.join(self.directory, "state"), "--certificate", self.keys.path("shop"),
                 "--broker-key", self.keys.certificate, "run", "-"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                preexec_fn=die_with_parent) as process:
            process.stdin.write("ping\n")
            process.stdin.flush()
            self.assertIn("answers", process.stdout.readline())
            self.keys.forbid("shop")
            self.reload(served)
            _, told = process.communicate("buy 036000291452 1\n", timeout=PATIENCE_S)
            self.assertEqual(process.returncode, 1, told)
            self.assertIn("does not accept this client's key any more", told)
        self.assertIn('"pending":null', self.stockctl(served, "--json", "local").stdout)

    def test_the_secret_is_never_shown(self):
        secret = self.keys.of("shop")[2].decode()
        served = self.serve()
        for arguments in (["config"], ["--json", "config"], ["ping"]):
            told = self.stockctl(served, *arguments)
            self.assertEqual(told.returncode, 0, told)
            self.assertNotIn(secret, told.stdout + told.stderr)
        self.assertIn(f"curve/certificate\t{self.keys.path('shop')}\t--certificate",
                      self.stockctl(served, "config").stdout)

    def test_half_a_client_is_refused(self):
        for variable in ("STOCK_CERTIFICATE", "STOCK_BROKER_KEY"):
            told = subprocess.run([STOCKCTL, "config"], stderr=subprocess.PIPE, encoding="utf-8",
                                  stdout=subprocess.PIPE,
                                  env={**os.environ, variable: self.keys.path("shop")})
            self.assertEqual(told.returncode, 2)
            self.assertIn("go together", told.stderr)


if __name__ == "__main__":
    unittest.main()
