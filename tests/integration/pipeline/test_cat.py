"""What readings-cat prints, counts and refuses."""

import json
import os
import subprocess
import unittest

import msgpack

from pipeline_support import READINGS_CAT, Case, files_of, run, unpack_file


def reading(sequence, **more):
    return {"id": sequence, "producer": 1, "sequence": sequence,
            "time_ns": 1767225600000000000 + sequence, "sensor": "door.opened", "unit": "s",
            "value": 0.1 * sequence, **more}


class Cat(Case):
    def write(self, name, *objects):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            for item in objects:
                file.write(item if isinstance(item, bytes) else msgpack.packb(item))
        return path

    def test_each_reading_is_a_line_and_then_they_are_counted(self):
        path = self.write("a", reading(1), reading(2, value=-26.0))
        other = self.write("b")
        done = run(READINGS_CAT, path, other)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 5)
        self.assertEqual(lines[0].split(),
                         "2026-01-01T00:00:00.000000001Z producer 1 sequence 1 door.opened 0.1 s "
                         "id 1".split())
        self.assertIn(" -26 ", lines[1])
        self.assertEqual(lines[2:], [f"{path}: 2 readings", f"{other}: 0 readings",
                                     "total: 2 readings read from 2 files"])

    def test_json_is_one_object_a_line_and_nothing_else(self):
        readings = [reading(1), reading(2, sensor='a "quoted" \\ °'), reading(3, value=1e300)]
        path = self.write("a", *readings)
        done = run(READINGS_CAT, "--json", path)
        self.assertEqual(done.returncode, 0)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], readings)
        self.assertEqual(done.stderr, f"{path}: 3 readings\ntotal: 3 readings read from 1 file\n")

    def test_json_has_the_same_readings_as_the_file(self):
        self.record("--count", "300")
        for path in files_of(self.directory):
            done = run(READINGS_CAT, "--json", path)
            self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                             unpack_file(path))

    def test_quiet_only_counts(self):
        path = self.write("a", reading(1), reading(2))
        done = run(READINGS_CAT, "--quiet", path)
        self.assertEqual(done.stdout, f"{path}: 2 readings\ntotal: 2 readings read from 1 file\n")
        done = run(READINGS_CAT, path, "--quiet", "--json")
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                         [{"file": path, "readings": 2}, {"files": 1, "readings": 2}])

    def test_json_is_json_whatever_a_file_is_called(self):
        names = {b"\xff\xc3(\xe2\x82": "\ufffd\ufffd(\ufffd\ufffd", b"a\"\\\n\x01": 'a"\\\n\x01',
                 "käse€😀".encode(): "käse€😀"}
        for name, shown in names.items():
            with self.subTest(name=name):
                path = os.fsencode(self.directory) + b"/" + name
                with open(path, "wb"):
                    pass
                done = subprocess.run([READINGS_CAT, "--json", "--quiet", path],
                                      stdout=subprocess.PIPE, check=True)
                first = done.stdout.split(b"\n")[0].decode("utf-8")
                self.assertEqual(json.loads(first),
                                 {"file": f"{self.directory}/{shown}", "readings": 0})

    def test_a_dash_is_standard_input(self):
        path = self.write("a", reading(1), reading(2))
        with open(path, "rb") as file:
            done = run(READINGS_CAT, "--quiet", "-", path, stdin=file)
        self.assertEqual(done.stdout, f"standard input: 2 readings\n{path}: 2 readings\n"
                                      "total: 4 readings read from 2 files\n")

    def test_a_damaged_file_is_read_up_to_there_and_the_next_one_as_well(self):
        first = msgpack.packb(reading(1))
        good = self.write("good", reading(7))
        for name, damage, told in [
                ("cut", msgpack.packb(reading(2))[:-1], "is cut off by the end of the file"),
                ("foreign", {"a": 1}, 'has no valid "id"'),
                ("zeros", bytes(100), "is a zero: the recording was killed"),
                ("never", b"\xc1", "has the byte 0xc1"),
                ("huge", b"\xdf\xff\xff\xff\xff", "has more members than a reading may have"),
                ("long", b"\xdb\x7f\xff\xff\xff" + bytes(5000), "is larger than a reading may be"),
                ("text", b"hello", "is not a map")]:
            with self.subTest(name=name):
                path = self.write(name, first, damage)
                done = run(READINGS_CAT, path, good)
                self.assertEqual(done.returncode, 3)
                self.assertTrue(done.stderr.startswith(
                    f"readings-cat: {path}: byte {len(first)}: object 2 {told}"), done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertEqual(len(done.stdout.splitlines()), 5)
                self.assertTrue(done.stdout.endswith(
                    f"{good}: 1 reading\ntotal: 2 readings read from 2 files\n"))

    def test_a_file_that_cannot_be_read_does_not_stop_the_others(self):
        good = self.write("good", reading(7))
        missing = os.path.join(self.directory, "missing")
        done = run(READINGS_CAT, "--quiet", missing, self.directory, good)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr,
                         f"readings-cat: cannot open {missing}: No such file or directory\n"
                         f"readings-cat: cannot read {self.directory} at byte 0: Is a directory\n")
        self.assertEqual(done.stdout, f"{good}: 1 reading\ntotal: 1 reading read from 1 file\n")
        done = run(READINGS_CAT, "--quiet", "--json", missing, self.directory, good)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                         [{"file": good, "readings": 1}, {"files": 1, "readings": 1}])

    def test_output_that_cannot_be_written_is_told(self):
        path = self.write("a", reading(1))
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([READINGS_CAT, path], stdout=full, stderr=subprocess.PIPE,
                                  encoding="utf-8", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to standard output", done.stderr)

    def test_a_stream_larger_than_the_memory_it_may_have_is_read(self):
        block = b"".join(msgpack.packb(reading(n)) for n in range(1, 10001))
        # Sanitizers need more address space than there is; with them only the count is checked.
        loaded = subprocess.run(["ldd", READINGS_CAT], stdout=subprocess.PIPE, check=True).stdout
        bounded = not any(name in loaded for name in (b"libasan", b"libtsan"))
        command = ["sh", "-c", ("ulimit -v 40000; " if bounded else "") +
                   f"exec '{READINGS_CAT}' --quiet -"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            for _ in range(60):
                process.stdin.write(block)
            process.stdin.close()
            out = process.stdout.read()
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"total: 600000 readings", out)
        self.assertGreater(60 * len(block), 40000 * 1024)


if __name__ == "__main__":
    unittest.main()
