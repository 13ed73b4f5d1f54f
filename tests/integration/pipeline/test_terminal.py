"""Progress is drawn on a terminal, and only there."""

import os
import pty
import re
import select
import subprocess
import time
import unittest

from pipeline_support import PATIENCE_S, READINGS, Case


class Terminal(Case):
    def start(self, *arguments, **environment):
        """Starts a recording whose standard error is a terminal; returns it and our end of that."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [READINGS, "--out", self.directory, "--idle-timeout", "3600", *arguments],
            stdout=subprocess.PIPE, stderr=theirs, encoding="utf-8",
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment})
        os.close(theirs)
        self.addCleanup(os.close, ours)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, ours

    def read_until(self, terminal, pattern):
        text = ""
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(pattern, text):
            self.assertLess(time.monotonic(), deadline, f"no {pattern} in {text!r}")
            if select.select([terminal], [], [], 1)[0]:
                text += os.read(terminal, 4096).decode()
        return text

    def read_rest(self, terminal):
        """What was written to a terminal before the program that had it ended."""
        text = b""
        try:
            while True:
                text += os.read(terminal, 4096)
        except OSError:  # how the end of a terminal reads
            return text.decode()

    def test_progress_is_drawn_and_removed(self):
        process, terminal = self.start("--count", "10")
        text = self.read_until(terminal, r"ends in 3\d\d\d s unless a reading comes")
        self.assertRegex(text, r"70 of 70")
        self.assertRegex(text, r"0 of 100")
        self.assertRegex(text, r"written  (\033\[0m)?70, by consumer  1: \d+  2: \d+  3: \d+")
        self.assertIn("\033[36m", text)
        process.terminate()
        out, _ = process.communicate()
        rest = self.read_rest(terminal)
        self.assertTrue(rest.endswith("\033[J"), rest)
        self.assertNotIn("\033", out)
        self.assertTrue(out.endswith("total: 70 made, 70 written by 3 consumers\n"))

    def test_the_rate_is_drawn_while_readings_come(self):
        process, terminal = self.start("--count", "1000000000")
        self.read_until(terminal, r"[1-9]\d* at [1-9]\d* readings/s, by consumer  1: \d+  2: \d+")
        process.terminate()
        process.communicate()
        self.assertEqual(process.returncode, 143)

    def test_no_color_is_honoured(self):
        process, terminal = self.start("--count", "10", NO_COLOR="1")
        text = self.read_until(terminal, "ends in")
        self.assertIsNone(re.search(r"\033\[\d*m", text))
        process.terminate()
        process.communicate()

    def test_quiet_and_dumb_terminals_get_nothing_drawn(self):
        for arguments, term in [(("--quiet",), "xterm"), ((), "dumb")]:
            process, terminal = self.start("--count", "10", *arguments, "--idle-timeout", "0.3",
                                           TERM=term)
            process.communicate()
            self.assertEqual(process.returncode, 0)
            self.assertEqual(self.read_rest(terminal), "")


if __name__ == "__main__":
    unittest.main()
