"""A client whose standard output nobody reads any more: it ends in order and loses no state."""

import json
import os
import subprocess
import unittest

from broker import BIN, PASSWORDS, PATIENCE_S, Case, die_with_parent

TISSUES = "036000291452"
DAMAGED = 3


class Pipe(Case):
    def setUp(self):
        super().setUp()
        self.served = self.broker().start()
        self.run_client("stockctl", "login", "north")

    def run_client(self, program, *words, status=0, closed=False, text=""):
        """Runs a client to its end; with `closed`, to a pipe that has no reader."""
        arguments = [os.path.join(BIN, program), "--endpoint", self.served.endpoint,
                     "--state", os.path.join(self.directory, "state")]
        ours, theirs = os.pipe()
        if closed:
            os.close(ours)
        told = subprocess.run([*arguments, *words], input=text, stderr=subprocess.PIPE,
                              stdout=theirs if closed else subprocess.PIPE, encoding="utf-8",
                              timeout=PATIENCE_S, preexec_fn=die_with_parent,
                              env={**os.environ, "STOCK_PASSWORD": PASSWORDS["north"]})
        os.close(theirs)
        if not closed:
            os.close(ours)
        self.assertEqual(told.returncode, status, told.stderr)
        if closed:
            self.assertIn("standard output cannot be written", told.stderr)
        return told.stdout

    def units(self):
        """How many units the local inventory has."""
        told = json.loads(self.run_client("stockctl", "--json", "local"))
        self.assertNotIn("pending", {key for key, value in told.items() if value})
        return sum(item["units"] for item in told["items"])

    def test_a_view_that_nobody_reads_ends_with_an_error(self):
        for words in (["inventory"], ["--json", "inventory"], ["--json", "ping"]):
            self.run_client("stockctl", *words, status=DAMAGED, closed=True)

    def test_an_order_is_written_down_though_nobody_reads_of_it(self):
        for words in ([], ["--json"]):
            self.run_client("stockctl", *words, "buy", TISSUES, "1", status=DAMAGED, closed=True)
        self.assertEqual(self.units(), 2)

    def test_a_script_stops_once_nobody_reads_what_it_did(self):
        text = f"buy {TISSUES} 1\n" * 5
        self.run_client("stockctl", "run", "-", status=DAMAGED, closed=True, text=text)
        self.assertEqual(self.units(), 1)
        self.run_client("stock", status=DAMAGED, closed=True, text=text)
        self.assertEqual(self.units(), 2)


if __name__ == "__main__":
    unittest.main()
