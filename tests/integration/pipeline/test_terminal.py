"""Progress is drawn on a terminal, and only there."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unittest

from pipeline_support import PATIENCE_S, READINGS, Case


class Terminal(Case):
    def start(self, *arguments, **more):
        return self.start_plainly("--idle-timeout", "3600", *arguments, **more)

    def start_plainly(self, *arguments, columns=80, **environment):
        """Starts a recording whose standard error is a terminal; returns it and our end of that."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [READINGS, "--out", self.directory, *arguments],
            stdout=subprocess.PIPE, stderr=theirs, encoding="utf-8",
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment})
        os.close(theirs)
        self.addCleanup(os.close, ours)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, ours

    def read_until(self, terminal, pattern):
        text = b""
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(pattern, text.decode(errors="replace")):
            self.assertLess(time.monotonic(), deadline, f"no {pattern} in {text!r}")
            if select.select([terminal], [], [], 1)[0]:
                text += os.read(terminal, 4096)
        return text.decode(errors="replace")

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
        self.assertRegex(text, r"written  (\033\[0m)?70\r\n")
        self.assertRegex(text, r"each     (\033\[0m)?1: \d+  2: \d+  3: \d+\r\n")
        self.assertIn("\033[36m", text)
        process.terminate()
        out, _ = process.communicate()
        rest = self.read_rest(terminal)
        self.assertTrue(rest.endswith("\033[J"), rest)
        self.assertNotIn("\033", out)
        self.assertTrue(out.endswith("total: 70 made, 70 written by 3 consumers\n"))

    def test_consumers_wait_a_minute_unless_told_otherwise(self):
        process, terminal = self.start_plainly("--count", "1")
        text = self.read_until(terminal, r"ends in \d+ s")
        self.assertIn(int(re.search(r"ends in (\d+) s", text).group(1)), range(1, 61))
        # The countdown ends where it should, and no machine is slow enough to begin it so late.
        self.assertGreater(int(re.search(r"ends in (\d+) s", text).group(1)), 30)
        process.terminate()
        process.communicate()

    def test_the_rate_is_drawn_while_readings_come(self):
        process, terminal = self.start("--count", "1000000000")
        self.read_until(terminal, r"[1-9]\d* at [1-9]\d* readings/s\r\n")
        process.terminate()
        process.communicate()
        self.assertEqual(process.returncode, 143)

    def test_no_number_is_cut_however_narrow_the_terminal_is(self):
        for columns, bars in (120, 30), (80, 30), (40, 14), (30, 0), (20, 0):
            with self.subTest(columns=columns):
                process, terminal = self.start("--consumers", "40", "--count", "10000",
                                               columns=columns, NO_COLOR="1")
                text = self.read_until(terminal, r"idle     (ends|…)[^\n]*\r\n")
                process.terminate()
                out, _ = process.communicate()
                lines = text[:text.rindex("\r\n")].rpartition("\033[J")[2].split("\r\n")
                self.assertEqual([line[:9].rstrip(" …") for line in lines],
                                 ["made", "waiting", "written", "each", "idle"])
                self.assertTrue(all(len(line) <= columns for line in lines), lines)
                bar = re.search(r"\[([#.]*)\]", lines[0])
                self.assertEqual(len(bar.group(1)) if bar else 0, bars)
                if columns >= 30:
                    self.assertTrue(lines[0].endswith("70000 of 70000"), lines)
                drawn = re.findall(r"(\d+): (\d+)", lines[3])
                written = re.findall(r"^ +(\d+) +(\d+)  \S+\.msgpack$", out, re.M)
                self.assertEqual(drawn, written[:len(drawn)])
                self.assertRegex(lines[3], r"^each    ( +\d+: \d+)* …$")

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
