"""The broker's figures as stockctl and stock show them."""

import re

from client_support import STOCKCTL, Case, main


class Stats(Case):
    def trade(self):
        """Three purchases that are made and two that are refused."""
        self.log_in()
        for units in (1, 2, 3):
            self.stockctl("buy", "cola", units)
        for _ in range(2):
            self.stockctl("buy", "brulee", 1, status=1)

    def test_in_a_pipe_each_figure_is_a_line_of_key_and_value(self):
        self.trade()
        done = self.stockctl("stats")
        self.assertEqual(done.stderr, "")
        told = dict(line.split("\t") for line in done.stdout.splitlines())
        self.assertEqual(len(told), len(done.stdout.splitlines()))
        self.assertRegex(told.pop("version"), r"\A\d+\.\d+\.\d+\Z")
        self.assertTrue(all(value.isdigit() for value in told.values()), told)
        self.assertEqual((told["requests.buy.ok"], told["requests.buy.insufficient_stock"]),
                         ("3", "2"))
        self.assertEqual((told["position"], told["records.total"], told["syncs_us.count"]),
                         ("6", "6", "6"))
        self.assertEqual((told["sessions"], told["snapshot"]), ("1", "1"))
        self.assertNotIn("requests.restock.ok", told)

    def test_in_json_every_operation_has_its_place(self):
        self.trade()
        told = self.json("stats")
        self.assertEqual(told["requests"]["buy"], {"ok": 3, "insufficient_stock": 2})
        self.assertEqual(told["requests"]["restock"], {})
        self.assertEqual(told["requests"]["none"], {})
        self.assertEqual((told["position"], told["sessions"]), (6, 1))
        for key in ("turns", "records", "syncs_us"):
            tally = told[key]
            self.assertEqual(sum(tally["buckets"]), tally["count"])
            self.assertEqual(len(tally["buckets"]), 32)
            self.assertTrue(0 < tally["p50"] <= tally["p99"] <= tally["max"] <= tally["total"])
        self.assertEqual(told["turns"]["total"],
                         sum(sum(counts.values()) for counts in told["requests"].values()))

    def test_on_a_terminal_they_are_tables(self):
        self.trade()
        screen = self.screen("stats", program=STOCKCTL, height=40)
        shown = screen.wait_for(r"^buy +insufficient_stock +2$")
        self.assertEqual(screen.wait_for_end(), 0)
        self.assertRegex(shown, r"(?m)^position +6$")
        self.assertRegex(shown, r"(?m)^up for +\d+ min \d+ s$")
        self.assertRegex(shown, r"(?m)^EACH +COUNT +MEAN +P50 +P99 +MAX$")
        self.assertRegex(shown, r"(?m)^changes a sync +6 +1\.0 +1 +1 +1$")
        self.assertRegex(shown, r"(?m)^REQUEST +OUTCOME +COUNT$")
        self.assertRegex(shown, r"(?m)^buy +ok +3$")
        self.assertTrue(all(len(line) <= 80 for line in shown.splitlines()))
        screen.close()

    def test_stock_knows_the_command_too(self):
        screen = self.screen(height=40)
        screen.log_in()
        shown = screen.enter("stats", prompt="north> ?\\Z")
        self.assertTrue(re.search(r"(?m)^sessions open +1$", shown), shown)
        screen.quit()

    def test_without_a_login_there_are_none(self):
        self.assertEqual(self.stockctl("stats", status=6).stdout, "")
        self.assertEqual(self.json("stats", status=6)["error"], "not_logged_in")
        self.log_in()
        self.stockctl("stats", "more", status=2)
        self.stockctl("--user", "south", "stats", status=6)
        self.stockctl("logout")
        self.assertEqual(self.json("stats", status=6)["error"], "not_logged_in")


if __name__ == "__main__":
    main()
