"""What a client leaves in its state directory is sound after every command."""

import os
import subprocess
import unittest

from broker import BIN, PASSWORDS, PATIENCE_S, Case, die_with_parent

TISSUES = "036000291452"


class State(Case):
    def setUp(self):
        super().setUp()
        self.served = self.broker().start()

    def run_client(self, user, *words):
        told = subprocess.run([os.path.join(BIN, "stockctl"), "--endpoint", self.served.endpoint,
                               "--state", os.path.join(self.directory, user), *words],
                              capture_output=True, encoding="utf-8", timeout=PATIENCE_S,
                              preexec_fn=die_with_parent,
                              env={**os.environ, "STOCK_PASSWORD": PASSWORDS[user]})
        self.assertEqual(told.returncode, 0, told.stderr)

    def check(self, user, after):
        told = subprocess.run([os.path.join(BIN, "stock-fsck"), os.path.join(self.directory, user)],
                              capture_output=True, encoding="utf-8", timeout=PATIENCE_S)
        self.assertEqual(told.returncode, 0, f"after {after}: {told.stdout}{told.stderr}")

    def test_every_snapshot_agrees_with_the_records_before_it(self):
        """Positions move on between the commands, because somebody else buys as well."""
        self.run_client("south", "login", "south")
        for words in (["login", "north"], ["buy", TISSUES, "1"], ["inventory"],
                      ["buy", "cola", "1"], ["logout"], ["login", "north"], ["inventory", TISSUES],
                      ["buy", "cola", "1", TISSUES, "2"], ["login", "north"], ["resolve"],
                      ["logout"], ["ping"], ["login", "north"]):
            self.run_client("north", *words)
            self.check("north", words)
            self.run_client("south", "buy", "milk", "1")
            self.check("south", "buying beside that")


if __name__ == "__main__":
    unittest.main()
