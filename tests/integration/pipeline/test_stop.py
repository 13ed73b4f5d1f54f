"""Recordings that are stopped in the middle."""

import os
import signal
import subprocess
import unittest

from pipeline_support import READINGS, READINGS_CAT, Case, files_of, run, totals_of, wait_until


class Stop(Case):
    def start(self, *arguments):
        process = subprocess.Popen(
            [READINGS, "--out", self.directory, *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def stop_while_it_writes(self, number, status):
        process = self.start("--count", "1000000000", "--idle-timeout", "3600")
        wait_until(lambda: any(os.path.getsize(path) > 200000 for path in files_of(self.directory)),
                   "the first blocks")
        process.send_signal(number)
        out, err = process.communicate()
        self.assertEqual((process.returncode, err), (status, ""))
        made, written = totals_of(out)
        self.assertEqual(made, written)
        self.assertGreater(made, 0)
        self.assertEqual(len(self.check_recording(self.directory)), written)

    def test_sigterm_in_the_middle_loses_nothing_that_was_made(self):
        self.stop_while_it_writes(signal.SIGTERM, 143)

    def test_sigint_in_the_middle_loses_nothing_that_was_made(self):
        self.stop_while_it_writes(signal.SIGINT, 130)

    def test_sighup_in_the_middle_loses_nothing_that_was_made(self):
        self.stop_while_it_writes(signal.SIGHUP, 129)

    def test_waiting_consumers_end_at_once(self):
        process = self.start("--count", "10", "--idle-timeout", "3600")
        wait_until(lambda: len(files_of(self.directory)) == 3 and sum(
            os.path.getsize(path) > 0 for path in files_of(self.directory)) == 3, "the files")
        process.terminate()
        out, err = process.communicate()
        self.assertEqual((process.returncode, err), (143, ""))
        made, written = totals_of(out)
        self.assertEqual(made, written)
        self.assertEqual(len(self.check_recording(self.directory)), written)

    def test_a_killed_recording_can_be_read_up_to_where_it_was_written(self):
        process = self.start("--count", "1000000000", "--idle-timeout", "3600")
        wait_until(lambda: all(os.path.getsize(path) > 200000 for path in files_of(self.directory))
                   and len(files_of(self.directory)) == 3, "some blocks")
        process.kill()
        process.communicate()
        cat = run(READINGS_CAT, "--quiet", *files_of(self.directory))
        self.assertEqual(cat.returncode, 3)
        self.assertRegex(cat.stderr, r"consumer-\d\.msgpack: byte \d+: object \d+ is ")
        self.assertRegex(cat.stdout, r"total: [1-9]\d+ readings read from 3 files\n\Z")


if __name__ == "__main__":
    unittest.main()
