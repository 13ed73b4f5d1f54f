"""libstockbus: what it exports, how it is found when it is installed, and what its calls answer."""

import glob
import os
import re
import shutil
import signal
import struct
import subprocess
import unittest

import broker
from broker import Case, PATIENCE_S, die_with_parent, is_sanitized, wait_until
from keys import Keys

BUILD = os.path.dirname(broker.BIN)
CALLS = os.path.join(BUILD, "tests", "library_calls")
EXAMPLE = os.path.join(broker.SOURCE, "docs", "examples", "buy.c")
PAGE = os.path.join(broker.SOURCE, "docs", "man", "stockbus.3.scd")
HEADER = os.path.join(broker.SOURCE, "client", "stockbus.h")
TISSUES = 36000291452
COLA = 49000006346
NOTHING = "- - - "


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def declared():
    """The functions of the header."""
    return set(re.findall(r"^(stockbus_\w+)\(", read(HEADER), re.M))


class Installed(Case):
    """The library as it is installed, used by somebody who has nothing else of Stockbus."""

    def setUp(self):
        super().setUp()
        if is_sanitized():
            self.skipTest("a sanitized library is not installed")
        self.prefix = os.path.join(self.directory, "prefix")
        for component in ("library", "development"):
            self.run_tool("cmake", "--install", BUILD, "--component", component, "--prefix",
                          self.prefix)
        (self.libraries,) = [folder for folder, _, files in os.walk(self.prefix)
                             if "libstockbus.a" in files]

    def run_tool(self, *words, **more):
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8", cwd=self.directory, check=False, **more)
        self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        return done.stdout

    def pkg_config(self, *words):
        return self.run_tool("pkg-config", *words, "stockbus", env={
            **os.environ, "PKG_CONFIG_PATH": os.path.join(self.libraries, "pkgconfig")}).split()

    def buy(self, program, **environment):
        """Lets the example buy twice, and what it bought must be there."""
        served = self.broker(users=None).start()
        for units in (1, 2):
            told = self.run_tool(program, env={"STOCK_ENDPOINT": served.endpoint, **environment})
            self.assertEqual(told, f"{units} of Facial tissues, 160 sheets\n")
        subprocess.run(["rm", "-r", os.path.join(self.directory, "buy-state")], check=True)

    def test_the_example_finds_it_with_pkg_config(self):
        program = os.path.join(self.directory, "shared")
        self.run_tool("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", EXAMPLE, "-o",
                      program, *self.pkg_config("--cflags", "--libs"))
        self.buy(program, LD_LIBRARY_PATH=self.libraries)

    def test_the_example_can_have_it_inside(self):
        program = os.path.join(self.directory, "static")
        flags = ["-l:libstockbus.a" if flag == "-lstockbus" else flag
                 for flag in self.pkg_config("--static", "--cflags", "--libs")]
        self.run_tool("cc", EXAMPLE, "-o", program, *flags)
        self.buy(program)
        done = subprocess.run([program], cwd=self.directory, env={"STOCK_ENDPOINT": "nowhere"},
                              stderr=subprocess.PIPE, encoding="utf-8", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"\A.*'nowhere'.*\n\Z")

    def test_the_example_finds_it_with_cmake(self):
        folder = os.path.join(self.directory, "project")
        os.makedirs(folder)
        with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write("cmake_minimum_required(VERSION 3.23)\n"
                       "project(example C)\n"
                       "find_package(stockbus 0.1 REQUIRED)\n"
                       f"add_executable(buy {EXAMPLE})\n"
                       "target_link_libraries(buy PRIVATE stockbus::stockbus)\n")
        self.run_tool("cmake", "-S", folder, "-B", folder, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.run_tool("cmake", "--build", folder)
        self.buy(os.path.join(folder, "buy"))

    def test_nothing_but_its_own_names_is_exported(self):
        shared = self.run_tool("nm", "-D", "--defined-only", "--format=posix",
                               os.path.join(self.libraries, "libstockbus.so"))
        names = {line.split("@")[0] for line in shared.splitlines() if " A " not in line}
        self.assertEqual(names, declared())
        archive = self.run_tool("nm", "-g", "--defined-only", "--format=posix",
                                os.path.join(self.libraries, "libstockbus.a"))
        names = {line.split()[0] for line in archive.splitlines() if not line.endswith(":")}
        self.assertEqual(names, declared())

    def test_the_header_stands_alone_in_c_and_c_plus_plus(self):
        for language in ("c", "c++"):
            self.run_tool("cc", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x",
                          language, os.path.join(self.prefix, "include", "stockbus.h"))

    def test_the_manual_page_has_the_example_and_every_function(self):
        page = read(PAGE)
        self.assertIn(read(EXAMPLE).replace("\\", "\\\\"), page)  # scdoc takes one of two
        self.assertEqual(set(re.findall(r"\*(stockbus_\w+)\*\(", page)), declared())


class Calls(Case):
    """What the calls answer."""

    def setUp(self):
        super().setUp()
        self.served = self.broker().start()
        self.state = os.path.join(self.directory, "state")
        self.driver = None
        self.start()
        self.open()

    def start(self):
        self.end()
        self.driver = subprocess.Popen([CALLS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       encoding="utf-8", preexec_fn=die_with_parent)
        self.addCleanup(self.end)

    def end(self):
        """Lets the driver end; a leak or an error of memory is told by its status."""
        if self.driver is not None:
            driver, self.driver = self.driver, None
            driver.stdin.close()
            driver.stdout.close()
            self.assertEqual(driver.wait(PATIENCE_S), 0)

    def call(self, *words):
        self.driver.stdin.write(" ".join(map(str, words)) + "\n")
        self.driver.stdin.flush()
        return self.driver.stdout.readline().rstrip("\n")

    def open(self, timeout_ms=1000 * PATIENCE_S, state=None):
        return self.call("open", self.served.endpoint, state or self.state, timeout_ms)

    def assert_call(self, words, expected):
        self.assertRegex(self.call(*words.split()), "^" + expected + "$")

    def test_a_day_of_a_shop(self):
        self.assert_call(f"buy {TISSUES} 1", r"6 not_logged_in - - - \| .+")
        self.assert_call("login north wrong", r"6 bad_credentials - - - \| .+")
        self.assert_call("login north apple", r"0 - - - north \| ")
        self.assert_call(f"buy {TISSUES} 2 {COLA} 1", r"0 - 1:made:2 - north \| ")
        self.assert_call(f"buy {TISSUES} 99",
                         r"1 insufficient_stock 2:insufficient_stock:1 - north \| .*98 units.*")
        self.assert_call("buy 7 1", r"1 unknown_item 3:unknown_item:1 - north \| .+")
        self.assert_call(f"restock {TISSUES} 1", r"1 forbidden 4:forbidden:\+1 - north \| .+")
        self.assert_call(f"inventory {COLA} {TISSUES}", rf"0 - - - north {TISSUES}=98\(Facial "
                         rf"tissues, 160 sheets\) {COLA}=299\(Cola, 330 ml can\) \| ")
        self.assertEqual(self.call("inventory").count("="), 26)
        self.assert_call("local", rf"0 - - - north {TISSUES}=2\(Facial tissues, 160 sheets\) "
                         rf"{COLA}=1\(Cola, 330 ml can\) \| ")
        self.assert_call("resolve 0", r"0 - - - north \| ")
        self.assert_call("logout", r"0 - - - - \| ")
        self.assert_call("local south", r"0 - - - - \| ")
        self.assert_call("login depot cherry", r"0 - - - depot \| ")
        self.assert_call(f"restock {TISSUES} 1", r"0 - 1:made:\+1 - depot \| ")

    def connections(self):
        """How many connections the program has."""
        with open(f"/proc/{self.driver.pid}/net/tcp", encoding="ascii") as file:
            established = {words[9] for words in map(str.split, file) if words[3] == "01"}
        folder = f"/proc/{self.driver.pid}/fd"
        links = [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
        return sum(f"socket:[{inode}]" in links for inode in established)

    def test_the_connection_that_the_password_went_over_is_given_up(self):
        self.call("login", "north", "apple")
        wait_until(lambda: self.connections() == 0, "the end of the connection")
        self.call("inventory", COLA)
        self.assertEqual(self.connections(), 1)
        self.call("login", "north", "wrong")
        wait_until(lambda: self.connections() == 0, "the end of the connection")

    def test_what_is_bought_and_who_bought_it_outlive_the_program(self):
        self.call("login", "north", "apple")
        self.call("buy", TISSUES, 2)
        self.start()
        self.assertRegex(self.open(), r"^0 - - - north \| $")
        self.assert_call("local", rf"0 - - - north {TISSUES}=2\(.*\) \| ")
        self.assert_call(f"buy {TISSUES} 1", r"0 - 2:made:1 - north \| ")

    def test_an_order_without_an_answer_is_pending_and_made_once(self):
        self.call("login", "north", "apple")
        self.open(timeout_ms=200)
        for then, expected in [("resolve 0", r"0 - N:made:1 - north \| "),
                               (f"inventory {COLA}", r"0 - - N:made:1 north .*\| "),
                               ("resolve 1", r"0 - N:(made|order_voided):1 - north \| ")]:
            self.served.signal(signal.SIGSTOP)
            told = self.call("buy", TISSUES, 1)
            self.served.signal(signal.SIGCONT)
            self.assertRegex(told, r"^5 outcome_unknown - - north\* \| .+$")
            self.open()
            self.assert_call(then, expected.replace("N", r"\d"))
            self.open(timeout_ms=200)

    def test_of_an_order_that_was_set_aside_nobody_knows_whether_it_was_made(self):
        self.call("login", "north", "apple")
        self.open(timeout_ms=200)
        self.end()
        other = self.state + "-copy"
        shutil.copytree(self.state, other)
        self.start()
        self.open(timeout_ms=200)
        self.served.kill()
        self.assert_call(f"buy {TISSUES} 1", r"5 \w+ - - north\* \| .+")
        self.served.restart(crash=True)
        self.open(state=other)
        self.assert_call("logout", r"0 - - - - \| ")
        self.open()
        self.assert_call("resolve 0", r"5 outcome_unknown - - north\* \| .+")
        self.assert_call("resolve 2", r"0 - 1:session_ended\?:1 - - \| ")
        self.assert_call("login north apple", r"0 - - - north \| ")
        self.assert_call(f"buy {TISSUES} 99", r"0 - 1:made:1 - north \| ")

    def test_a_broker_that_is_away_is_unreachable(self):
        self.call("login", "north", "apple")
        self.open(timeout_ms=200)
        self.served.kill()
        self.assert_call("inventory", r"4 unreachable - - north \| .+")
        self.assert_call(f"buy {TISSUES} 1", r"5 \w+ \S+ - north\* \| .+")

    def test_what_is_wrong_with_the_arguments_is_told(self):
        usage = r"2 usage - - \S+ \| .+"
        self.assertRegex(self.call("open", self.served.endpoint, "none", 5000), usage)
        self.assert_call(f"buy {TISSUES} 1", r"2 usage - - - \| the client is not open")
        self.assertRegex(self.call("open", "nonsense", self.state, 5000), usage)
        self.assertRegex(self.call("open", self.served.endpoint, self.state, -1), usage)
        self.assertRegex(self.open(), r"^0 ")
        self.call("login", "north", "apple")
        for words in (f"login {33 * 'x'} apple", f"login north {129 * 'x'}", "buy", f"buy {TISSUES} 0",
                      f"buy {TISSUES} 1000000001", "buy 1000000000000 1",
                      "inventory 1000000000000", "resolve 3",
                      "buy" + f" {TISSUES} 1" * 1001, "inventory" + f" {TISSUES}" * 1001):
            self.assertRegex(self.call(*words.split()), "^" + usage + "$", words[:40])
        self.assert_call("local", r"0 - - - north \| ")

    def test_what_was_set_aside_is_told(self):
        self.call("login", "north", "apple")
        self.end()
        newest = max(glob.glob(os.path.join(self.state, "journal-*.msgpack")))
        with open(newest, "ab") as file:
            file.write(b"\x93")
        self.start()
        self.assertRegex(self.open(), r"^0 - - - north \| ! .*1 bytes of a record .* set aside$")

    def test_it_encrypts_and_speaks_to_no_other_broker(self):
        keys = Keys(os.path.join(self.directory, "keys"))
        broker_key, public, secret = [key.decode() for key in keys.make("shop")]
        keys.allow("shop")
        self.served = self.broker("encrypted", curve=keys.settings).start()
        state = os.path.join(self.directory, "encrypted-state")
        begin = ("encrypt", self.served.endpoint, state)
        self.assertRegex(self.call(*begin, broker_key, secret), r"^0 ")
        self.assert_call("login north apple", r"0 - - - north \| ")
        self.assert_call(f"buy {TISSUES} 1", r"0 - 1:made:1 - north \| ")
        for words in ((broker_key,), (broker_key, secret[1:]), (broker_key[1:], secret),
                      (broker_key, "~" + secret[1:])):
            self.assertRegex(self.call(*begin, *words), r"^2 usage - - \S+ \| .*key")
        self.open(timeout_ms=300, state=state)
        self.assert_call("inventory", r"4 unreachable - - north \| .+")

    def test_programs_of_other_versions_are_served_as_far_as_they_are_understood(self):
        first = 3 * struct.calcsize("P") + 8
        for words, status in (([first], 0), ([first - 1], 2), ([0], 2), ([first + 40], 0),
                              ([first + 40, 0], 0), ([first + 40, 1], 2), ([2 ** 40], 2)):
            told = self.call("open", self.served.endpoint, self.state, 5000, *words)
            self.assertRegex(told, f"^{status} " + ("usage .* of a version not known" if status else "-"),
                             words)

    def test_a_state_directory_in_use_is_told(self):
        self.call("login", "north", "apple")
        other = subprocess.run([CALLS], input=f"open {self.served.endpoint} {self.state} 5000\n",
                               stdout=subprocess.PIPE, encoding="utf-8", check=True)
        self.assertRegex(other.stdout, r"^2 usage - - - \| .*in use by another process")


if __name__ == "__main__":
    unittest.main()
