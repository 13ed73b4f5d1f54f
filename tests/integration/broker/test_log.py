"""What stockd logs: levels, one JSON object a line, nothing that breaks a line."""

import json
import os
import re
import signal
import unittest

from broker import CONF, PASSWORDS, USERS_AND_SLOW, Case, run_stockd
from stock_client import Client

TISSUES = 36000291452
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class Log(Case):
    def client(self, broker, user="north"):
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login(user, PASSWORDS[user])["status"], "ok")
        return client

    def start_json(self, **settings):
        """A broker that logs JSON and serves."""
        broker = self.broker(log_format="json", **settings)
        broker.launch()
        line = broker.wait_for_line(r'"message":"ready on (tcp://[^"]+)"')
        broker.endpoint = line.group(1)
        return broker

    def objects(self, lines):
        """What the lines hold, each of which is one object with all that every line has."""
        objects = [json.loads(line) for line in lines]
        for one in objects:
            self.assertRegex(one["time"], rf"\A{TIME}\Z")
            self.assertIn(one["level"], ("error", "warning", "notice", "debug"))
            self.assertTrue(one["message"])
        return objects

    def test_each_line_of_json_is_an_object(self):
        broker = self.start_json()
        broker.signal(signal.SIGHUP)
        broker.wait_for_line("read the accounts again")
        self.assertEqual(broker.terminate(), 0)
        lines = self.objects(broker.lines)
        messages = [one["message"] for one in lines]
        ready = lines[messages.index(f"ready on {broker.endpoint}")]
        self.assertEqual(ready["endpoint"], broker.endpoint)
        made = next(one for one in lines if one["message"].startswith("made "))
        self.assertEqual((made["data"], made["sessions"], made["records"]), (broker.data, 0, 0))
        self.assertIn("stopping on SIGTERM", messages)
        self.assertEqual({one["level"] for one in lines}, {"notice"})

    def test_a_failure_is_told_in_the_format_that_is_wanted(self):
        broker = self.broker()
        for flags in (["--log-format", "json"], ["--log-format=json", "--log-level=error"]):
            told = run_stockd("--config", broker.config, "--bind", "bad", *flags)
            self.assertEqual(told.returncode, 2)
            (line,) = self.objects(told.stderr.splitlines())
            self.assertEqual(line["level"], "error")
            self.assertIn("'bad' is not of the form", line["message"])
        told = run_stockd("--config", os.path.join(self.directory, "none.conf"),
                          "--log-format", "json")
        self.assertEqual(told.returncode, 2)
        self.assertIn("none.conf: not found", self.objects(told.stderr.splitlines())[0]["message"])

    def test_the_level_filters_but_not_that_it_serves(self):
        for level in ("error", "warning"):
            broker = self.broker(level, log_level=level).start()
            self.client(broker).buy([TISSUES, 1])
            broker.signal(signal.SIGHUP)
            self.client(broker).buy([TISSUES, 1])
            self.assertEqual(broker.terminate(), 0)
            self.assertEqual(broker.lines, [f"stockd: ready on {broker.endpoint}"])

    def test_a_warning_is_marked_and_shown_at_its_level(self):
        broker = self.broker(log_level="warning").start()
        broker.file("users.conf", "nonsense\n")
        broker.signal(signal.SIGHUP)
        line = broker.wait_for_line("the accounts stay as they were").string
        self.assertRegex(line, r"\Astockd: warning: .*users\.conf: line 1: ")

    def test_hashes_that_take_unequally_long_are_warned_of(self):
        words = "warning: users: the hashes differ in what a check of them takes"
        broker = self.broker(users=USERS_AND_SLOW).start()
        broker.wait_for_line(words)
        self.assertIn(words, run_stockd("--config", broker.config, "--check-config").stderr)
        broker.lines.clear()
        broker.signal(signal.SIGHUP)
        broker.wait_for_line(words)
        even = self.broker("even").start()
        self.assertEqual(even.terminate(), 0)
        self.assertNotIn("warning", "\n".join(even.lines))

    def test_debug_tells_each_request_and_no_secret(self):
        broker = self.start_json(log_level="debug")
        client = self.client(broker)
        client.buy([TISSUES, 2])
        client.buy([TISSUES, 1000000])
        client.ask(b"\x01")
        self.assertEqual(broker.terminate(), 0)
        told = [(one["operation"], one["status"], one["session"], one["order"])
                for one in self.objects(broker.lines) if one["level"] == "debug"]
        self.assertEqual(told[-4:], [("login", "ok", 0, 0), ("buy", "ok", 1, 1),
                                     ("buy", "insufficient_stock", 1, 2),
                                     ("none", "bad_request", 0, 0)])
        text = "\n".join(broker.lines)
        for secret in (PASSWORDS["north"], client.token.hex()):
            self.assertNotIn(secret, text)

    def test_debug_tells_where_a_wrong_password_came_from(self):
        broker = self.broker(log_level="debug").start()
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login("north", "guess")["status"], "bad_credentials")
        broker.wait_for_line(r"debug: refused a wrong user name or password from a client at 127.0.0.1$")
        self.assertNotIn("guess", "\n".join(broker.lines))

    def test_control_characters_do_not_leave_the_line(self):
        broker = self.broker()
        told = run_stockd("--config", broker.config, "--log-level", "\x1b[2J\nx")
        self.assertEqual(told.returncode, 2)
        self.assertEqual(told.stderr, "stockd: error: log_level: '\\x1b[2J\\x0ax' is none of "
                                      "error, warning, notice, debug\n")

    def test_flags_come_before_the_environment_and_that_before_the_file(self):
        broker = self.broker(log_format="json", log_level="debug")
        for environment, flags, is_json in [({}, [], True),
                                            ({"STOCK_LOG_FORMAT": "text"}, [], False),
                                            ({"STOCK_LOG_FORMAT": "text"},
                                             ["--log-format", "json"], True)]:
            told = run_stockd("--config", broker.config, "--check-config", *flags,
                              env={**os.environ, **environment})
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertEqual(told.stderr.startswith("{"), is_json, told.stderr)

    def test_a_word_that_is_no_level_or_format_is_named(self):
        for key, value, words in [("log_level", "loud", "log_level: 'loud' is none of error"),
                                  ("log_format", "xml", "log_format: 'xml' is neither"),
                                  ("log_level", "x" * 100, "log_level: a text of 1 to 15")]:
            broker = self.broker(f"bad-{key}-{len(value)}", **{key: value})
            for arguments in (["--check-config"], []):
                told = run_stockd("--config", broker.config, *arguments)
                self.assertEqual(told.returncode, 2)
                self.assertIn(words, told.stderr)
        broker = self.broker("flag")
        told = run_stockd("--config", broker.config, "--log-level", "x" * 100)
        self.assertEqual(told.returncode, 2)
        self.assertIn("log_level: 'xxx", told.stderr)

    def test_check_config_tells_what_it_found(self):
        told = run_stockd("--config", os.path.join(CONF, "broker.conf"), "--check-config",
                          "--log-format", "json", "--log-level", "error")
        self.assertEqual(told.returncode, 0, told.stderr)
        good, demo = self.objects(told.stderr.splitlines())
        with open(os.path.join(CONF, "inventory.conf"), encoding="utf-8") as file:
            items = len(re.findall(r"^\d", file.read(), re.M))
        self.assertEqual((good["accounts"], good["demonstration_accounts"], good["items"]),
                         (3, 3, items))
        self.assertEqual(good["bind"], "tcp://127.0.0.1:5570")
        self.assertTrue(good["data"].endswith("build/run/broker"))
        self.assertEqual(demo["level"], "warning")
        self.assertIn("demonstration accounts are on: 3", demo["message"])
        broker = self.broker()
        told = run_stockd("--config", broker.config, "--check-config")
        self.assertEqual((told.returncode, told.stdout), (0, ""))
        self.assertRegex(told.stderr, r"\Astockd: the configuration is good: [^\n]+\n\Z")
        self.assertIn(f"keeps its data in {broker.data}; 3 accounts in ", told.stderr)


if __name__ == "__main__":
    unittest.main()
