"""Wrong command lines, and directories and files that cannot be written."""

import os
import resource
import subprocess
import unittest

from pipeline_support import READINGS, READINGS_CAT, Case, files_of, run, wait_until


class Usage(Case):
    def test_wrong_command_lines_are_explained(self):
        for arguments, told in [
                (("--producers", "0"), "--producers 0: must be a whole number from 1 to 1024"),
                (("--consumers", "257"), "--consumers 257: must be a whole number from 1 to 256"),
                (("--capacity", "0"), "--capacity 0: must be a whole number from 1 to 1000000"),
                (("--count", "-1"), "--count -1: must be a whole number from 0 to 1000000000"),
                (("--idle-timeout", "soon"),
                 "--idle-timeout soon: must be a number of seconds from 0.001 to 86400"),
                (("--seed", "x"), "--seed x: must be a whole number from 0 to"),
                (("--out",), "--out wants a value"),
                (("--fast",), "--fast is no option; 'readings --help' lists the options"),
                (("--sed", "1"), "--sed is no option; did you mean --seed?\n"),
                (("here",), "unexpected argument: here")]:
            with self.subTest(arguments=arguments):
                done = run(READINGS, *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("readings: " + told, done.stderr)
        for arguments, told in [((), "no file is named"),
                                (("--jsn",), "--jsn is no option; did you mean --json?\n")]:
            with self.subTest(arguments=arguments):
                done = run(READINGS_CAT, *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("readings-cat: " + told, done.stderr)

    def test_help_and_version_are_there(self):
        for program in READINGS, READINGS_CAT:
            done = run(program, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("Examples:", done.stdout)
            self.assertIn("Exit status:", done.stdout)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)
            done = run(program, "--version")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"\Areadings(-cat)? \d+\.\d+\.\d+\n\Z")


class Failures(Case):
    def refuse(self, *arguments):
        done = run(READINGS, "--idle-timeout", "0.2", "--count", "5", *arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        return done.stderr

    def test_a_missing_directory_is_named_and_not_made(self):
        missing = os.path.join(self.directory, "missing")
        self.assertEqual(self.refuse("--out", missing),
                         f"readings: cannot open the output directory {missing}: not found\n")
        self.assertFalse(os.path.exists(missing))

    def test_a_file_is_no_directory(self):
        path = os.path.join(self.directory, "file")
        with open(path, "w", encoding="utf-8"):
            pass
        self.assertIn(path, self.refuse("--out", path))

    def test_a_file_that_cannot_be_opened_is_named(self):
        path = os.path.join(self.directory, "consumer-2.msgpack")
        os.mkdir(path)
        self.assertEqual(self.refuse("--out", self.directory),
                         f"readings: cannot open {path}: is a directory\n")

    def test_too_many_files_are_told_as_that(self):
        def bound():
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

        done = run(READINGS, "--out", self.directory, "--consumers", "60", preexec_fn=bound)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"consumer-\d+\.msgpack: too many open files\n\Z")

    @unittest.skipIf(os.geteuid() == 0, "root may write anywhere; see test_disk_full.py")
    def test_a_read_only_directory_is_named(self):
        os.chmod(self.directory, 0o500)
        self.assertIn("permission denied", self.refuse("--out", self.directory))

    def test_two_recordings_do_not_share_a_directory(self):
        with subprocess.Popen([READINGS, "--out", self.directory, "--idle-timeout", "3600"],
                              stdout=subprocess.PIPE) as first:
            try:
                wait_until(lambda: len(files_of(self.directory)) == 3, "the files")
                self.assertIn("consumer-1.msgpack: in use by another process",
                              self.refuse("--out", self.directory))
            finally:
                first.terminate()
                first.communicate()
        self.assertEqual(first.returncode, 143)
        self.check_recording(self.directory)

    def test_a_summary_that_cannot_be_written_is_told(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                [READINGS, "--out", self.directory, "--idle-timeout", "0.2", "--count", "5"],
                stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to standard output", done.stderr)
        self.assertEqual(len(self.check_recording(self.directory)), 35)

    def test_a_bound_on_the_size_of_files_is_like_a_full_disk(self):
        def bound():
            resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))

        done = run(READINGS, "--out", self.directory, "--count", "100000", preexec_fn=bound)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no space left (disk, quota or file size limit)", done.stderr)
        self.assertGreater(len(self.check_recording(self.directory)), 1000)


if __name__ == "__main__":
    unittest.main()
