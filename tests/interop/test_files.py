"""The files of a broker, read with python3-msgpack and hashlib by what PROTOCOL.md says."""

import glob
import hashlib
import os
import subprocess
import sys
import unittest

import check_journal
from broker import Case, PASSWORDS, upc_of
from stock_client import Client

CHECKER = check_journal.__file__
TISSUES = 36000291452


class Files(Case):
    def shop(self, broker, orders):
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login("depot", PASSWORDS["depot"])["status"], "ok")
        for number in range(orders):
            lines = [[TISSUES, 1 + number % 3]]
            reply = client.buy(*lines) if number % 2 else client.restock(*lines)
            self.assertEqual(reply["status"], "ok")
        return client

    def check(self, directory):
        return subprocess.run([sys.executable, "-B", CHECKER, directory], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8", check=False)

    def newest_journal(self, broker):
        return sorted(glob.glob(os.path.join(broker.data, "journal-*.msgpack")))[-1]

    def test_every_record_is_good_while_it_runs_after_a_crash_and_after_its_end(self):
        broker = self.broker().start()
        for crash in (True, False, True, False):
            self.shop(broker, 20)
            self.assertEqual(self.check(broker.data).returncode, 0)
            broker.restart(crash)
        self.assertEqual(broker.terminate(), 0)
        result = self.check(broker.data)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(len(glob.glob(os.path.join(broker.data, "snapshot-*.msgpack"))), 2)

    def test_journals_that_fill_up_are_one_chain(self):
        inventory = "".join(
            f"{upc_of(number):012d} 1000000 Item {number}\n" for number in range(1000))
        broker = self.broker(inventory=inventory, lanes=1, segment_mib=1).start()
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        client.login("north", PASSWORDS["north"])
        lines = [[upc_of(number), 1] for number in range(1000)]
        while len(glob.glob(os.path.join(broker.data, "journal-0*.msgpack"))) < 3:
            self.assertEqual(client.buy(*lines)["status"], "ok")
        broker.kill()
        journals = check_journal.check_directory(broker.data)[1]
        self.assertGreaterEqual(len(journals), 3)
        self.assertEqual(journals[-1].next - 1, client.position)

    def test_the_records_say_what_was_answered(self):
        broker = self.broker().start()
        client = self.shop(broker, 3)
        client.void(4)
        client.buy([TISSUES, 10**9])
        broker.kill()
        journal = check_journal.check_directory(broker.data)[1][-1]
        self.assertEqual(journal.header["history"], client.history)
        events = [event for _, events in journal.records for event in events]
        token_hash = hashlib.blake2b(client.token, digest_size=16).digest()
        session = client.session
        self.assertEqual([event[:4] for event in events[:1]],
                         [["login", session, "depot", token_hash]])
        self.assertEqual([event[:3] + event[4:] for event in events[1:]], [
            ["restock", session, 1, [[TISSUES, 1]]],
            ["buy", session, 2, [[TISSUES, 2]]],
            ["restock", session, 3, [[TISSUES, 3]]],
            ["void", session, 4],
            ["refuse", session, 5, "insufficient_stock", TISSUES, 102]])

    def test_the_last_snapshot_holds_levels_and_sessions(self):
        broker = self.broker().start()
        client = self.shop(broker, 2)
        self.assertEqual(broker.terminate(), 0)
        snapshot = check_journal.check_directory(broker.data)[0][-1]
        words = [record[0] for record in snapshot.records[:-1]]
        self.assertEqual(words, ["ledger", "items", "sessions"])
        levels = {upc: units for upc, units, _ in snapshot.records[1][1]}
        self.assertEqual(levels[TISSUES], 100 + 1 - 2)
        row = snapshot.records[2][1][0]
        self.assertEqual(row[:2] + row[3:4] + row[5:], [
            client.session, "depot", 2, "ok", 2, 0, 0, client.position])

    def test_a_torn_tail_is_no_damage_and_a_bad_byte_is(self):
        broker = self.broker().start()
        self.shop(broker, 10)
        broker.kill()
        path = self.newest_journal(broker)
        journal = check_journal.File(path)
        with open(path, "r+b") as file:
            file.seek(journal.end)
            file.write(b"\x93\xcf\0\0\0")
        result = self.check(broker.data)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("and 2 bytes that are none", result.stdout)
        with open(path, "r+b") as file:
            file.seek(journal.end - 40)  # inside the last record: it is lost with the tail
            file.write(b"\xff")
        self.assertEqual(self.check(broker.data).returncode, 0)
        with open(path, "r+b") as file:
            file.seek(journal.end // 2)
            file.write(b"\xff\xff")
        result = self.check(broker.data)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"journal-\d+\.msgpack: offset \d+: record \d+ is damaged")


if __name__ == "__main__":
    unittest.main()
