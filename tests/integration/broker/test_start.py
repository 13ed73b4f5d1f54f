"""How stockd starts, listens and ends, and what it does when it cannot."""

import fcntl
import glob
import os
import pty
import shutil
import signal
import socket
import subprocess
import termios
import unittest

import check_journal
from broker import (Case, PASSWORDS, PATIENCE_S, STOCKD, die_with_parent, run_stockd,
                    wait_until)
from stock_client import Client

TISSUES = 36000291452
STOCK_FSCK = os.path.join(os.path.dirname(STOCKD), "stock-fsck")


class Start(Case):
    def client(self, broker, user="north"):
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login(user, PASSWORDS[user])["status"], "ok")
        return client

    def assert_fails(self, broker, status, *words):
        """Starts a broker that cannot; returns what it says."""
        broker.launch()
        self.assertEqual(broker.wait(), status, broker.lines)
        for word in words:
            self.assertIn(word, "\n".join(broker.lines))
        self.assertNotIn("ready on", "\n".join(broker.lines))

    def count_listeners(self, broker):
        if shutil.which("ss") is None:
            self.skipTest("there is no ss")
        lines = subprocess.run(["ss", "-Hltn"], stdout=subprocess.PIPE, encoding="utf-8",
                               check=True).stdout.splitlines()
        return sum(line.split()[3].endswith(f":{broker.port}") for line in lines)

    def test_each_lane_listens_on_the_one_port(self):
        for lanes in (1, 2, 16):
            broker = self.broker(f"lanes-{lanes}", lanes=lanes).start()
            self.assertEqual(self.count_listeners(broker), lanes)

    def test_a_host_may_be_named(self):
        for lanes in (1, 2):
            broker = self.broker(f"lanes-{lanes}", lanes=lanes, bind="tcp://localhost:*").start()
            self.assertEqual(self.client(broker).units(TISSUES), 100)

    def test_one_lane_serves_many_connections(self):
        broker = self.broker(lanes=1).start()
        clients = [self.client(broker) for _ in range(5)]
        for client in clients:
            self.assertEqual(client.buy([TISSUES, 1])["status"], "ok")
        self.assertEqual(clients[0].units(TISSUES), 95)

    def test_the_port_of_another_stockd_is_in_use(self):
        first = self.broker("first", lanes=4).start()
        for lanes in (1, 4):
            second = self.broker(f"second-{lanes}", bind=first.endpoint, lanes=lanes)
            self.assert_fails(second, 1, first.endpoint, "in use")
        self.assertEqual(self.count_listeners(first), 4)
        self.assertEqual(self.client(first).buy([TISSUES, 1])["status"], "ok")

    def test_a_port_that_is_held_with_so_reuseport_is_in_use(self):
        for shared in (False, True):
            with socket.socket() as other:
                if shared:
                    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                other.bind(("127.0.0.1", 0))
                other.listen()
                endpoint = f"tcp://127.0.0.1:{other.getsockname()[1]}"
                for lanes in (1, 4):
                    self.assert_fails(self.broker(f"late-{shared}-{lanes}", bind=endpoint,
                                                  lanes=lanes), 1, endpoint, "in use")

    def test_a_port_in_use_is_found_before_anything_is_made_on_the_disk(self):
        first = self.broker("first").start()
        for lanes in (1, 4):
            second = self.broker(f"second-{lanes}", bind=first.endpoint, lanes=lanes)
            self.assert_fails(second, 1, first.endpoint, "in use")
            self.assertFalse(os.path.exists(second.data))

    def test_the_port_is_free_again_at_once(self):
        broker = self.broker(lanes=4).start()
        client = self.client(broker)
        again = self.broker("again", bind=broker.endpoint, lanes=4)
        broker.kill()
        again.start()
        client.link.close()
        self.client(again)

    def test_a_data_directory_in_use_is_left_alone(self):
        first = self.broker("first").start()
        client = self.client(first)
        second = self.broker("second", data=first.data)
        self.assert_fails(second, 1, first.data, "in use by another process")
        self.assertEqual(client.buy([TISSUES, 1])["status"], "ok")
        first.kill()
        second.start()
        self.assertEqual(self.client(second).units(TISSUES), 99)

    def test_sigterm_and_sigint_end_it_in_order(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            broker = self.broker(f"signal-{number}").start()
            self.client(broker).buy([TISSUES, 1])
            broker.signal(number)
            self.assertEqual(broker.wait(), 0, broker.lines)
            newest = check_journal.check_directory(broker.data)[0][-1]
            self.assertIn([TISSUES, 99], [item[:2] for item in newest.records[1][1]])

    def damage(self, offset_of):
        """A broker whose last journal, of ten orders, has a bad byte."""
        broker = self.broker().start()
        client = self.client(broker)
        for _ in range(10):
            client.buy([TISSUES, 1])
        broker.kill()
        path = sorted(glob.glob(os.path.join(broker.data, "journal-*.msgpack")))[-1]
        at = offset_of(check_journal.File(path))
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0x40]))
        return broker, path

    def test_damage_stops_it_and_is_named_with_file_and_offset(self):
        broker, path = self.damage(lambda journal: journal.end // 2)
        before = {name: os.stat(os.path.join(broker.data, name)).st_mtime_ns
                  for name in os.listdir(broker.data)}
        for _ in range(2):
            self.assert_fails(broker, 3, f"{path}: offset ")
        self.assertEqual(before, {name: os.stat(os.path.join(broker.data, name)).st_mtime_ns
                                  for name in os.listdir(broker.data)})

    def test_a_damaged_header_stops_it(self):
        broker, path = self.damage(lambda journal: 20)
        self.assert_fails(broker, 3, f"{path}: offset 0: the header is damaged")

    def test_a_missing_journal_stops_it(self):
        broker, path = self.damage(lambda journal: 20)
        os.remove(path)
        self.assert_fails(broker, 3, f"{path}: is missing")

    def test_a_torn_tail_is_set_aside(self):
        broker, path = self.damage(lambda journal: journal.end - 1)
        broker.start()
        self.assertEqual(os.path.getsize(path + ".torn") > 0, True)
        broker.wait_for_line("set aside [0-9]+ bytes")
        self.assertEqual(self.client(broker).units(TISSUES), 91)

    def test_a_damaged_snapshot_is_replaced_by_the_one_before(self):
        broker = self.broker().start()
        self.client(broker).buy([TISSUES, 1])
        self.assertEqual(broker.terminate(), 0)
        path = sorted(glob.glob(os.path.join(broker.data, "snapshot-*.msgpack")))[-1]
        with open(path, "r+b") as file:
            file.seek(200)
            file.write(b"\0\0\0")
        broker.start()
        broker.wait_for_line(f"{os.path.basename(path)}: offset")
        self.assertEqual(self.client(broker).units(TISSUES), 99)
        self.assertTrue(os.path.exists(path + ".damaged"))

    def test_the_stock_comes_from_the_data_directory_once_there_is_one(self):
        broker = self.broker(inventory=f"{TISSUES:012d} 7 Tissues\n").start()
        self.client(broker).buy([TISSUES, 2])
        self.assertEqual(broker.terminate(), 0)
        os.remove(os.path.join(broker.directory, "inventory.conf"))
        broker.start()
        self.assertEqual(self.client(broker).view_all(), {TISSUES: ("Tissues", 5)})

    def test_one_of_a_thing_is_told_as_one(self):
        broker = self.broker(inventory=f"{TISSUES:012d} 2 Tissues\n").start()
        broker.wait_for_line("made .*: 1 item, 2 units, 0 sessions, 0 records replayed")
        self.client(broker).buy([TISSUES, 1])
        self.assertEqual(broker.terminate(), 0)
        broker.start()
        broker.wait_for_line("opened .*: 1 item, 1 unit, 1 session, [0-9]+ records? replayed")
        self.assertEqual(broker.terminate(), 0)
        told = subprocess.run([STOCK_FSCK, broker.data], stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
        self.assertIn("\n1 item, 1 unit on hand\n", told)
        self.assertIn("\n1 session open, ", told)
        self.assertRegex(told, r"order 1 at position \d+: ok, 1 unit\n")

    def test_help_and_version_are_told(self):
        told = run_stockd("--help")
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        self.assertIn("Usage:\n  stockd [--config FILE]", told.stdout)
        told = run_stockd("--version")
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        self.assertRegex(told.stdout, r"\Astockd \d+\.\d+\.\d+\n\Z")

    def test_a_bad_command_line_is_refused(self):
        for arguments in (["--nonsense"], ["nonsense"], ["--bind"]):
            told = run_stockd(*arguments)
            self.assertEqual((told.returncode, told.stdout), (2, ""), arguments)
            self.assertIn("--help", told.stderr)

    def test_an_empty_value_is_refused_and_an_empty_variable_is_none(self):
        for flag in ("--config", "--bind", "--data"):
            told = run_stockd(flag, "")
            self.assertEqual((told.returncode, told.stdout), (2, ""), flag)
            self.assertIn(f"{flag} wants a value", told.stderr)
        broker = self.broker().start(environment={"STOCK_DATA": "", "STOCK_BIND": ""})
        self.assertTrue(os.path.isdir(broker.data))

    def test_a_data_directory_that_cannot_be_one_is_no_matter_of_configuration(self):
        path = os.path.join(self.directory, "file")
        with open(path, "w", encoding="utf-8") as file:
            file.write("no directory\n")
        self.assert_fails(self.broker("file-there", data=path), 1, path)
        below = os.path.join(path, "below")
        self.assert_fails(self.broker("below", data=below), 1, below)

    def test_it_outlives_the_reader_of_its_standard_error(self):
        broker = self.broker()
        with subprocess.Popen([STOCKD, "--config", broker.config], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              encoding="utf-8", preexec_fn=die_with_parent) as process:
            line = ""
            while "ready on" not in line:
                line = process.stderr.readline()
                self.assertNotEqual(line, "")
            broker.endpoint = line.split()[-1]
            process.stderr.close()
            process.send_signal(signal.SIGHUP)  # which it has something to say about
            try:
                self.client(broker).buy([TISSUES, 1])
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(PATIENCE_S), 0)
            finally:
                process.kill()
        newest = check_journal.check_directory(broker.data)[0][-1]
        self.assertIn([TISSUES, 99], [item[:2] for item in newest.records[1][1]])

    def terminal(self):
        """Returns both ends of a terminal, and what a process does that makes it its own."""
        def take_terminal():
            die_with_parent()
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        return ours, theirs, take_terminal

    def test_on_a_terminal_a_password_is_asked_for_twice_and_has_to_be_the_same(self):
        for again, status in (("apple", 0), ("apples", 2)):
            ours, theirs, take_terminal = self.terminal()
            with subprocess.Popen([STOCKD, "--hash-password"], stdin=theirs, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, preexec_fn=take_terminal) as process:
                for prompt, typed in ((b"Password: ", "apple"), (b"The same again: ", again)):
                    shown = b""
                    while prompt not in shown:
                        shown += os.read(ours, 100)
                    os.write(ours, typed.encode() + b"\n")
                made, told = process.communicate(timeout=PATIENCE_S)
            self.assertEqual((process.returncode, made[:10]), (status, b"" if status else b"$argon2id$"))
            self.assertEqual(b"not the same password twice" in told, status != 0)

    def test_a_prompt_that_is_broken_off_leaves_the_terminal_with_its_echo(self):
        ours, theirs, take_terminal = self.terminal()
        def echoes():
            return termios.tcgetattr(theirs)[3] & termios.ECHO != 0
        with subprocess.Popen([STOCKD, "--hash-password"], stdin=theirs, stdout=theirs,
                              stderr=theirs, preexec_fn=take_terminal) as process:
            shown = b""
            while b"assword: " not in shown:
                shown += os.read(ours, 100)
            wait_until(lambda: not echoes(), "no echo")
            def interrupt():
                os.write(ours, b"\x03")  # one that comes right before the reading is not seen by it
                return process.poll() is not None
            try:
                wait_until(interrupt, "the end")
            finally:
                process.kill()
            self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertTrue(echoes())

    def test_a_hash_that_was_made_lets_its_password_in(self):
        made = run_stockd("--hash-password", input="cr\u00e8me br\u00fbl\u00e9e\n")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        broker = self.broker(users=f"chef buy {made.stdout}").start()
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login("chef", "cr\u00e8me br\u00fbl\u00e9e")["status"], "ok")
        self.assertEqual(client.login("chef", "creme brulee")["status"], "bad_credentials")

    def test_what_is_no_password_is_not_hashed(self):
        for text in ("", "\n", "x" * 129 + "\n", "a\tb\n"):
            told = run_stockd("--hash-password", input=text)
            self.assertEqual((told.returncode, told.stdout), (2, ""), repr(text))


if __name__ == "__main__":
    unittest.main()
