"""Configuration that is wrong: each time file, line or key, and reason are told."""

import os
import unittest

from broker import CONF, PASSWORDS, USERS, Broker, Case, run_stockd
from stock_client import Client

WORD = "passwords-and-orders-may-be-read-by-others"
TISSUES = "036000291452 100 Tissues\n"
HASH = USERS.split()[2]

# Text of a file, and what is told about it.
BAD_SETTINGS = [
    ("lanes = 0\n", "broker.conf: lanes: '0' is not a number from 1 to 256"),
    ("lanes = 257\n", "broker.conf: lanes: '257' is not a number"),
    ("lanes = many\n", "broker.conf: lanes: 'many' is not a number"),
    ("lanes = -1\n", "broker.conf: lanes: '-1' is not a number"),
    ("lanes = 99999999999999999999\n", "broker.conf: lanes: "),
    ("lane = 4\n", "broker.conf: lane: there is no such key"),
    ("lanes = 4\nlanes = 5\n", "broker.conf: lanes: stands twice"),
    ("lanes = 4\n    more = 5\n", "broker.conf: lanes: is no section"),
    ("curve\n    certificate = b.cert\n", "curve: certificate and clients go together"),
    ("curve\n    clients = clients\n", "curve: certificate and clients go together"),
    ("curve\n    secret = b.cert\n", "broker.conf: curve/secret: there is no such key"),
    ("curve\n    clients = a\n    clients = b\n", "broker.conf: curve/clients: stands twice"),
    ("curve\n    clients = a\ncurve\n", "broker.conf: curve: stands twice"),
    ("curve\n    clients\n        a = b\n", "broker.conf: curve/clients: is no section"),
    ("curve = on\n", "broker.conf: curve: is a section, and has no value"),
    ("curve/clients = a\n", "broker.conf: curve/clients: a key of a section stands below"),
    ("segment_mib = 0\n", "broker.conf: segment_mib: "),
    ("lanes = 256\nsegment_mib = 1\n", "segment_mib: 256 lanes need journals of at least"),
    ("sessions = none\n", "broker.conf: sessions: "),
    ("sessions_per_user = 1.5\n", "broker.conf: sessions_per_user: "),
    ("lanes = 4\n  odd\n", "broker.conf: line 2: "),
    ("lanes = \"4\n", "broker.conf: line 1: "),
    ("data = \"" + "x" * 5000 + "\"\n", "broker.conf"),
    ("bind = \"127.0.0.1:5570\"\n", "'127.0.0.1:5570' is not of the form tcp://HOST:PORT"),
    ("bind = \"tcp://127.0.0.1\"\n", "is not of the form tcp://HOST:PORT"),
    ("bind = \"tcp://127.0.0.1:0\"\n", "a port is a number from 1 to 65535"),
    ("bind = \"tcp://127.0.0.1:65536\"\n", "a port is a number from 1 to 65535"),
    ("bind = \"tcp://no.such.host.invalid:5570\"\n", "no.such.host.invalid"),
]
BAD_USERS = [
    ("", "users.conf: holds no account"),
    ("# nobody\n\n", "users.conf: holds no account"),
    (f"{USERS}south buy {HASH}\n", "users.conf: line 4: user 'south' stands twice"),
    ("\nnorth\n", "users.conf: line 2: user 'north': '' are not roles"),
    (f"north sell {HASH}\n", "users.conf: line 1: user 'north': 'sell' are not roles"),
    (f"north demo {HASH}\n", "users.conf: line 1: user 'north': 'demo' are not roles"),
    (f"north restock {HASH}\n", "users.conf: line 1: user 'north': 'restock' are not roles"),
    ("north buy\n", "users.conf: line 1: user 'north': an argon2id hash is expected"),
    ("north buy apple\n", "users.conf: line 1: user 'north': an argon2id hash is expected"),
    (f"north buy {HASH} more\n", "users.conf: line 1: user 'north': an argon2id hash"),
    (f"{'n' * 33} buy {HASH}\n", "users.conf: line 1: a user name has 1 to 32 bytes"),
    (f"nor\x01th buy {HASH}\n", "users.conf: line 1: a user name has"),
    (f"{'x' * 4100}\n", "users.conf: line 1: is too long"),
]
BAD_INVENTORIES = [
    ("", "inventory.conf: holds no items"),
    (f"{TISSUES}36000291452 1 Short\n", "inventory.conf: line 2: '36000291452' is not a UPC"),
    ("036000291453 1 Checks not\n", "line 1: UPC 036000291453: the last digit does not check"),
    ("036000291452 -1 Less\n", "inventory.conf: line 1: '-1' is not a number of units"),
    ("036000291452 many Words\n", "inventory.conf: line 1: 'many' is not a number of units"),
    ("036000291452 9007199254740992 Lots\n", "inventory.conf: line 1: '9007199254740992' is not"),
    ("036000291452 1\n", "inventory.conf: line 1: a name of 1 to 200 bytes"),
    (f"036000291452 1 {'x' * 201}\n", "inventory.conf: line 1: a name of 1 to 200 bytes"),
    ("036000291452 1 Bell \x07\n", "inventory.conf: line 1: a name of 1 to 200 bytes"),
    (f"{TISSUES}\n{TISSUES}", "inventory.conf: line 3: UPC 036000291452 stands in line 1 too"),
]


class Configuration(Case):
    def check_and_start(self, broker, status, *words):
        """The same is told by --check-config and at a start."""
        for arguments in (["--check-config"], []):
            told = run_stockd("--config", broker.config, *arguments)
            self.assertEqual(told.returncode, status, told.stderr)
            self.assertEqual(told.stdout, "")
            for word in words:
                self.assertIn(word, told.stderr)
            self.assertRegex(told.stderr, r"\Astockd: [^\n]+\n\Z", "is one line")

    def make(self, **options):
        self.count = getattr(self, "count", 0) + 1
        return Broker(os.path.join(self.directory, f"broker-{self.count}"), **options)

    def make_with_path(self, name, path):
        """A configuration that looks for `name` at `path`."""
        broker = self.make()
        with open(broker.config, encoding="utf-8") as file:
            text = file.read()
        proper = os.path.join(broker.directory if name == "users.conf" else CONF, name)
        self.assertIn(f'"{proper}"', text)
        with open(broker.config, "w", encoding="utf-8") as file:
            file.write(text.replace(f'"{proper}"', f'"{path}"'))
        return broker

    def test_a_bad_setting_is_named_by_file_and_line_or_key(self):
        for text, words in BAD_SETTINGS:
            with self.subTest(text[:60]):
                broker = self.make()
                with open(broker.config, "w", encoding="utf-8") as file:
                    file.write(text)
                self.check_and_start(broker, 2, words)

    def test_a_bad_account_is_named_by_file_and_line(self):
        for text, words in BAD_USERS:
            with self.subTest(text[:60]):
                self.check_and_start(self.make(users=text), 2, words)

    def test_a_bad_item_is_named_by_file_and_line(self):
        for text, words in BAD_INVENTORIES:
            with self.subTest(text[:60]):
                broker = self.make(inventory=text)
                self.check_and_start(broker, 2, words)
                # What could not be begun is not there: it can be put right and tried again.
                broker.file("inventory.conf", TISSUES)
                self.addCleanup(broker.kill)
                broker.start()

    def test_a_file_that_is_not_there_is_named(self):
        broker = self.make()
        os.remove(broker.config)
        self.check_and_start(broker, 2, f"{broker.config}: not found")
        for name in ("users.conf", "inventory.conf"):
            missing = os.path.join(self.directory, "missing.conf")
            broker = self.make_with_path(name, missing)
            self.check_and_start(broker, 2, f"{missing}: not found")

    def test_a_configuration_that_cannot_be_read_is_named(self):
        broker = self.make()
        os.remove(broker.config)
        os.mkdir(broker.config)
        self.check_and_start(broker, 2, f"{broker.config}: ")
        for name in ("users.conf", "inventory.conf"):
            broker = self.make_with_path(name, self.directory)
            self.check_and_start(broker, 2, f"{self.directory}: ")

    def test_a_good_configuration_is_checked_and_nothing_is_made(self):
        broker = self.make()
        told = run_stockd("--config", broker.config, "--check-config")
        self.assertEqual((told.returncode, told.stdout), (0, ""))
        self.assertRegex(told.stderr, r"\Astockd: the configuration is good: [^\n]+\n\Z")
        self.assertFalse(os.path.exists(broker.data))

    def test_flags_come_before_the_environment_and_that_before_the_file(self):
        broker = self.make(bind="nonsense")
        environment = {**os.environ, "STOCK_BIND": "tcp://127.0.0.1:*"}
        told = run_stockd("--config", broker.config, "--check-config", env=environment)
        self.assertEqual(told.returncode, 0, told.stderr)
        told = run_stockd("--config", broker.config, "--check-config", "--bind", "bad",
                          env=environment)
        self.assertIn("'bad' is not of the form", told.stderr)
        told = run_stockd("--check-config", env={**environment, "STOCK_BROKER_CONFIG": broker.config})
        self.assertEqual(told.returncode, 0, told.stderr)

    def test_an_address_beyond_loopback_wants_a_word_in_the_configuration(self):
        for bind in ("tcp://0.0.0.0:*", "tcp://*:*"):
            self.check_and_start(self.make(bind=bind), 2, bind, "no loopback address", WORD)
            self.check_and_start(self.make(bind=bind, plaintext_beyond_loopback="yes"), 2, WORD)

    def test_beyond_loopback_the_demonstration_users_are_left_out(self):
        self.check_and_start(self.make(bind="tcp://0.0.0.0:*", plaintext_beyond_loopback=WORD,
                                       users=None), 2, "holds no account that may log in beyond")
        broker = self.broker(bind="tcp://0.0.0.0:*", plaintext_beyond_loopback=WORD,
                             users=USERS.replace("south  buy ", "south  buy,demo ")).start()
        client = Client(f"tcp://127.0.0.1:{broker.port}")
        self.addCleanup(client.close)
        self.assertEqual(client.login("south", PASSWORDS["south"])["status"], "bad_credentials")
        self.assertEqual(client.login("north", PASSWORDS["north"])["status"], "ok")

    def test_all_of_127_is_loopback(self):
        broker = self.broker(bind="tcp://127.8.9.10:*", users=None).start()
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login("south", PASSWORDS["south"])["status"], "ok")

    def test_the_configuration_that_ships_is_good(self):
        told = run_stockd("--config", os.path.join(CONF, "broker.conf"), "--check-config")
        self.assertEqual(told.returncode, 0, told.stderr)


if __name__ == "__main__":
    unittest.main()
