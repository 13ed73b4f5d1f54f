"""What readings records, seen through a MessagePack library and through readings-cat."""

import os
import re
import unittest

from pipeline_support import READINGS, READINGS_CAT, Case, files_of, run


def as_set(readings):
    return {tuple(reading.values()) for reading in readings}


class Record(Case):
    def test_the_defaults_write_fourteen_thousand_readings_into_three_files(self):
        done, readings = self.record()
        self.assertEqual(len(readings), 14000)
        self.assertEqual(len(files_of(self.directory)), 3)
        self.assertEqual({(r["producer"], r["sequence"]) for r in readings},
                         {(p, s) for p in range(1, 8) for s in range(1, 2001)})
        cat = run(READINGS_CAT, *files_of(self.directory))
        self.assertEqual((cat.returncode, cat.stderr), (0, ""))
        self.assertEqual(len(cat.stdout.splitlines()), 14000 + 3 + 1)
        self.assertTrue(cat.stdout.endswith("total: 14000 readings read from 3 files\n"))
        fill = int(re.search(r"largest fill (\d+)$", done.stdout, re.M).group(1))
        self.assertTrue(1 <= fill <= 100)

    def test_members_have_their_types_and_ranges(self):
        _, readings = self.record("--count", "50")
        for reading in readings:
            self.assertTrue(0 <= reading["id"] < 2 ** 53)
            self.assertTrue(1 <= reading["producer"] <= 7)
            self.assertTrue(1 <= reading["sequence"] <= 50)
            self.assertGreater(reading["time_ns"], 1_500_000_000_000_000_000)
            self.assertTrue(1 <= len(reading["sensor"].encode()) <= 19)
            self.assertTrue(1 <= len(reading["unit"].encode()) <= 7)
            self.assertIsInstance(reading["value"], float)
        self.assertGreater(len({reading["sensor"] for reading in readings}), 8)
        self.assertGreater(len({reading["value"] for reading in readings}), 100)

    def test_a_seed_makes_the_same_set_whatever_the_threads_do(self):
        _, first = self.record("--seed", "42", "--count", "500")
        _, second = self.record("--seed", "42", "--count", "500", "--consumers", "5",
                                "--capacity", "3")
        _, other = self.record("--seed", "43", "--count", "500")
        self.assertEqual(as_set(first), as_set(second))
        self.assertFalse(as_set(first) & as_set(other))

    def test_without_a_seed_no_two_recordings_are_alike(self):
        _, first = self.record("--count", "10")
        _, second = self.record("--count", "10")
        self.assertFalse(as_set(first) & as_set(second))

    def test_limits_work_at_their_ends(self):
        for arguments, count in [
                (("--producers", "1", "--count", "1", "--consumers", "1", "--capacity", "1"), 1),
                (("--count", "0"), 0),
                (("--producers", "64", "--consumers", "16", "--capacity", "1", "--count", "50"),
                 3200),
                (("--producers", "1024", "--count", "2", "--capacity", "1000000"), 2048),
                (("--consumers", "256", "--count", "20"), 140)]:
            with self.subTest(arguments=arguments):
                _, readings = self.record(*arguments)
                self.assertEqual(len(readings), count)

    def test_a_recording_replaces_an_earlier_one(self):
        self.record("--consumers", "5", "--count", "10")
        _, readings = self.record("--count", "7")
        self.assertEqual(len(files_of(self.directory)), 3)
        self.assertEqual(len(readings), 49)

    def test_a_pipe_gets_nothing_but_the_summary(self):
        done, _ = self.record("--producers", "2", "--consumers", "2", "--count", "3", "--seed", "9")
        self.assertRegex(done.stdout, re.compile(
            r"\Aproducer        made\n"
            r"       1           3\n"
            r"       2           3\n"
            r"consumer     written  file\n"
            r"       1           \d  \S+/consumer-1\.msgpack\n"
            r"       2           \d  \S+/consumer-2\.msgpack\n"
            r"list: capacity 100, largest fill \d\n"
            r"waits: \d+ of producers on the full list, \d+ of consumers on the empty one\n"
            r"seed: 9\n"
            r"time: \d+\.\d{3} s to the last write, \d+\.\d{3} s in all; \d+ readings/s\n"
            r"total: 6 made, 6 written by 2 consumers\n\Z"))

    def test_quiet_says_nothing(self):
        done = run(READINGS, "--quiet", "--idle-timeout", "0.2", "--out", self.directory)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(len(self.check_recording(self.directory)), 14000)

    def test_the_current_directory_is_the_default(self):
        done = run(READINGS, "--idle-timeout", "0.2", "--count", "5", cwd=self.directory)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(sorted(os.listdir(self.directory)),
                         ["consumer-1.msgpack", "consumer-2.msgpack", "consumer-3.msgpack"])


if __name__ == "__main__":
    unittest.main()
