"""Recordings that are stopped in the middle."""

import itertools
import os
import re
import signal
import subprocess
import unittest

from pipeline_support import READINGS, READINGS_CAT, Case, files_of, run, totals_of, wait_until


WITH_TSAN = b"libtsan" in subprocess.run(["ldd", READINGS], stdout=subprocess.PIPE,
                                         check=True).stdout


def bit(number):
    return 1 << number - 1


def obey_signals():
    """A shell starts what runs in its background with SIGINT ignored, and that is inherited."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_DFL)


def ignore(number):
    obey_signals()
    signal.signal(number, signal.SIG_IGN)


def blocked(process):
    """The signals that a process blocks, as bits."""
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        return int(re.search(r"^SigBlk:\s*(\w+)", file.read(), re.M).group(1), 16)


class Stop(Case):
    def start(self, *arguments, before=(), preexec_fn=obey_signals, **more):
        process = subprocess.Popen(
            [*before, READINGS, "--out", self.directory, *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8", preexec_fn=preexec_fn, **more)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_and_write(self, *arguments, **more):
        for path in files_of(self.directory):  # or they would seem to be its first blocks
            os.remove(path)
        process = self.start("--count", "1000000000", "--idle-timeout", "3600", *arguments, **more)
        wait_until(lambda: any(os.path.getsize(path) > 200000 for path in files_of(self.directory)),
                   "the first blocks")
        return process

    def stop_while_it_writes(self, number, status):
        process = self.start_and_write()
        process.send_signal(number)
        self.check_stopped(process, {status})

    def check_stopped(self, process, statuses):
        out, err = process.communicate()
        self.assertEqual(err, "")
        self.assertIn(process.returncode, statuses)
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

    def test_signals_that_come_together_count_as_one(self):
        numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
        for first, second in itertools.product(numbers, repeat=2):
            with self.subTest(first=first, second=second):
                # One consumer and much in the list: it is still being emptied when both have come.
                process = self.start_and_write("--capacity", "100000", "--consumers", "1")
                process.send_signal(first)
                process.send_signal(second)
                self.check_stopped(process, {128 + first, 128 + second})

    def test_timeout_stops_a_recording_and_leaves_its_files_whole(self):
        # It hands on the signal that it gets just as the one it sends when the time is over.
        process = self.start_and_write("--capacity", "100000",
                                       before=("timeout", "--preserve-status", "3600"))
        # It is the leader of a group: should this fail, the recording must not go on alone.
        self.addCleanup(lambda: process.poll() is None and os.killpg(process.pid, signal.SIGKILL))
        process.terminate()
        self.check_stopped(process, {143})

    def send_until_it_is_killed(self, process, number):
        def killed():
            process.send_signal(number)
            return process.poll() is not None

        wait_until(killed, "the end")
        self.assertEqual(process.returncode, -number)

    def start_with_a_full_pipe(self, *arguments):
        """Starts one that hangs at its summary, as nobody reads what it prints."""
        ends = os.pipe()
        self.addCleanup(os.close, ends[0])
        os.set_blocking(ends[1], False)
        try:
            while True:
                os.write(ends[1], bytes(4096))
        except BlockingIOError:
            os.set_blocking(ends[1], True)
        process = subprocess.Popen([READINGS, "--out", self.directory, *arguments], stdout=ends[1],
                                   preexec_fn=obey_signals)
        os.close(ends[1])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @unittest.skipIf(WITH_TSAN, "it puts handlers off while a thread is inside the C library")
    def test_a_later_signal_kills_one_that_hangs(self):
        process = self.start_with_a_full_pipe("--count", "1000000000", "--idle-timeout", "3600")
        wait_until(lambda: any(os.path.getsize(path) > 200000 for path in files_of(self.directory)),
                   "the first blocks")
        self.send_until_it_is_killed(process, signal.SIGTERM)
        self.check_recording(self.directory)

    def test_one_that_hangs_behind_its_last_write_is_killed_by_the_first_signal(self):
        process = self.start_with_a_full_pipe("--count", "10", "--idle-timeout", "0.1")
        # It lets in those that stop it when its files are whole, and goes on blocking SIGUSR1;
        # before that it blocks both, or, while it waits for them, neither.
        both = bit(signal.SIGUSR1) | bit(signal.SIGINT)
        wait_until(lambda: blocked(process) & both == bit(signal.SIGUSR1), "the summary")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), -signal.SIGINT)
        self.assertEqual(len(self.check_recording(self.directory)), 70)

    def test_signals_it_was_started_to_ignore_are_ignored(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            with self.subTest(number=number):
                process = self.start_and_write(
                    preexec_fn=lambda: ignore(number))
                process.send_signal(number)
                other = signal.SIGTERM if number != signal.SIGTERM else signal.SIGINT
                process.send_signal(other)
                self.check_stopped(process, {128 + other})

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
        wait_until(lambda: sum(os.path.getsize(path) > 200000
                               for path in files_of(self.directory)) == 3, "some blocks")
        process.kill()
        process.communicate()
        cat = run(READINGS_CAT, "--quiet", *files_of(self.directory))
        self.assertEqual(cat.returncode, 3)
        self.assertRegex(cat.stderr, r"consumer-\d\.msgpack: byte \d+: object \d+ is ")
        self.assertRegex(cat.stdout, r"total: [1-9]\d+ readings read from 3 files\n\Z")


if __name__ == "__main__":
    unittest.main()
