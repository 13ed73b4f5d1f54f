"""A small disk that fills up, and one that is read-only. Needs root, to mount them."""

import os
import re
import subprocess
import unittest

from pipeline_support import READINGS, READINGS_CAT, Case, files_of, run, skip, totals_of


def mount(directory, options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "stockbus-test", directory],
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


class DiskFull(Case):
    def mounted(self, options):
        if not mount(self.directory, options):
            skip("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", self.directory], check=True)

    def test_a_disk_that_fills_up_costs_no_reading_that_was_taken(self):
        self.mounted("size=1m")
        done = run(READINGS, "--out", self.directory, "--count", "100000")
        self.assertEqual(done.returncode, 1)
        made, written = totals_of(done.stdout)
        told = re.search(r"^readings: (\d+) readings are in no file: (\d+) left in the list "
                         r"when the last consumer ended, 0 could not be written$", done.stderr,
                         re.M)
        self.assertTrue(told, done.stderr)
        self.assertEqual(int(told.group(1)), int(told.group(2)))
        self.assertEqual(made, written + int(told.group(1)))
        self.assertIn(f"readings: {700000 - made} of 700000 readings were not made, because no "
                      "consumer was left to take them\n", done.stderr)
        for number in 1, 2, 3:
            self.assertRegex(done.stderr, rf"readings: consumer {number}: cannot write \S+/consumer-"
                                          rf"{number}\.msgpack beyond byte \d+: no space left \(disk, ")
        self.assertGreater(written, 5000)
        self.assertEqual(len(self.check_recording(self.directory)), written)
        cat = run(READINGS_CAT, "--quiet", *files_of(self.directory))
        self.assertEqual(cat.returncode, 0)
        self.assertIn(f"total: {written} readings", cat.stdout)

    def test_a_disk_that_is_full_from_the_start_holds_nothing(self):
        self.mounted("size=64k")
        with open(os.path.join(self.directory, "other"), "wb") as other:
            other.write(bytes(65536))
        done = run(READINGS, "--out", self.directory)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(totals_of(done.stdout)[1], 0)
        self.assertIn("no space left", done.stderr)

    def test_a_read_only_disk_is_told(self):
        self.mounted("size=64k,ro")
        done = run(READINGS, "--out", self.directory)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, f"readings: cannot open {self.directory}/consumer-1.msgpack: "
                                      "permission denied\n")


if __name__ == "__main__":
    if os.geteuid() != 0:
        skip("only root may mount a tmpfs")
    unittest.main()
