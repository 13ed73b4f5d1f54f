"""Every example of --help, of 'help COMMAND' and of the README is run, and prints what it is said to.

`examples/` has what those print that are shown without; a command there that begins with `: ;` is none
of the examples but makes ready for those behind it.
"""

import os
import re
import signal
import subprocess

import broker
import transcript
from client_support import Case, main, without_waits

EXAMPLES = os.path.join(broker.SOURCE, "tests", "integration", "client", "examples")
PROGRAMS = ["stock", "stockctl", "stockd", "stock-fsck", "readings", "readings-cat"]


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def examples_in(help_text):
    return [line.strip() for line in help_text.split("Examples:\n")[1].splitlines()]


class Help(Case):
    def check(self, name, told, prefix=""):
        """The examples that are told are those of the file, and print what stands there."""
        examples = transcript.parse(read(EXAMPLES, name + ".txt"))
        held = [command for command, _ in examples if not command.startswith(": ;")]
        self.assertEqual([prefix + example for example in told], held, name)
        served = self.broker(name, inventory=None).start()
        transcript.check(self, served, examples, name, STOCK_PASSWORD="apple")

    def test_the_examples_of_each_program_print_what_they_are_held_to(self):
        for program in PROGRAMS:
            text = self.run_program(os.path.join(broker.BIN, program), "--help").stdout
            self.check(program, examples_in(text))

    def test_the_examples_of_the_commands_print_what_they_are_held_to(self):
        told = []
        for line in self.stockctl("help").stdout.splitlines():
            told += examples_in(self.stockctl("help", line.split()[0]).stdout)
        self.check("commands", told, prefix="stockctl ")


class Readme(Case):
    def setUp(self):
        super().setUp()
        self.maxDiff = None
        self.text = read(broker.SOURCE, "README.md")
        self.served = self.broker("readme", inventory=None).start()
        self.environment["STOCK_ENDPOINT"] = self.served.endpoint

    def block(self, beginning):
        """The one block of the README that begins so, to be compared and not to be counted again."""
        found = re.findall(rf"^```\w*\n({re.escape(beginning)}.*?)^```$", self.text, re.M | re.S)
        self.assertEqual(len(found), 1, beginning)
        return found[0]

    def test_every_block_is_held_by_one_of_these_tests(self):
        text = re.sub(r"^## Into production in ten minutes\n.*?(?=^## )", "", self.text, flags=re.M | re.S)
        blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.M | re.S)
        self.assertEqual([block.splitlines()[0] for block in blocks], [
            "script/run       # build, start a broker on loopback, open the interactive client, "
            "stop the broker at the end",
            "$ script/run", "north> buy 049000006346 2",
            r"$ printf 'login north\nbuy 036000291452 3\nlocal\n' | STOCK_PASSWORD=apple script/run",
            "build/release/bin/stockd --config conf/broker.conf &", "import msgpack, os, time, zmq",
            "cc buy.c $(pkg-config --cflags --libs stockbus) -o buy", "$ mkdir /tmp/today"])

    def test_the_two_commands_are_there(self):
        lines = self.block("script/run ").splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["script/run", "script/test"])
        for line in lines:
            self.assertTrue(os.access(os.path.join(broker.SOURCE, line.split()[0]), os.X_OK))

    def test_a_visit_looks_as_it_says(self):
        visit = self.hide(self.block("$ script/run\n").split("\n", 1)[1])
        away = self.hide(self.block("north> buy 049000006346 2\n"))
        screen = self.screen("--timeout", 5000, height=60)
        for prompt, typed in re.findall(r"^(stock|north)> (.*)$", visit, re.M)[:-1]:
            self.enter(screen, prompt, typed)
        shown = without_waits(screen.wait_for(r"^north> ?\Z")).strip("\n")
        self.assertEqual(shown, visit.rsplit(" quit", 1)[0])
        screen.press("C-l")
        screen.wait_for(r"\Anorth> ?\Z")
        self.served.signal(signal.SIGSTOP)
        self.enter(screen, "north", "buy 049000006346 2")
        screen.wait_for(r"^north \(order pending\) \(broker away\)> ?\Z")
        self.served.signal(signal.SIGCONT)
        self.enter(screen, r"north \(order pending\) \(broker away\)", "resolve")
        self.assertEqual(screen.wait_for(r"^bought 2(.|\n)*^north> ?\Z"), away.rstrip("\n"))
        screen.quit()

    def enter(self, screen, prompt, typed):
        screen.wait_for(rf"^{prompt}> ?\Z")
        screen.type(typed)
        screen.wait_for(rf"^{prompt}> {re.escape(typed)}\Z")
        screen.press("Enter")
        if typed.startswith("login"):
            screen.wait_for("password of")
            screen.type("apple")
            screen.press("Enter")

    def hide(self, text):
        return re.sub(r"(?<=127\.0\.0\.1:)\d+", "PORT", text)

    def test_commands_from_a_pipe_print_what_it_says(self):
        self.copy_run()
        transcript.check(self, self.served, transcript.parse(self.block("$ printf")), "README")

    def run_client_in_python(self, port):
        program = self.block("import msgpack")
        self.assertEqual(len(program.splitlines()), 10)
        return subprocess.run(
            ["/usr/bin/python3", "-c", program.replace(":5570", f":{port}").replace("5000", "1000")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            timeout=broker.PATIENCE_S, preexec_fn=broker.die_with_parent)

    def test_the_broker_of_the_client_in_python_is_started_as_it_says(self):
        self.copy_run()
        path = os.path.join(self.home, "conf", "broker.conf")
        text = read(path)
        self.assertIn("tcp://127.0.0.1:5570", text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(":5570", ":*"))
        line = self.block("build/release/bin/stockd")
        shell = subprocess.Popen(["bash", "-c", f"{line}echo $!; wait"], cwd=self.home,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(shell.communicate)
        started = int(shell.stdout.readline())
        self.addCleanup(os.kill, started, signal.SIGKILL)
        ready = next(filter(None, (re.match(r"stockd: ready on \S+:(\d+)$", told)
                                   for told in shell.stderr)))
        self.assertEqual(self.run_client_in_python(ready.group(1)).stdout, "ok ok\n")

    def test_the_client_in_python_says_so_when_no_answer_comes(self):
        self.served.signal(signal.SIGSTOP)
        done = self.run_client_in_python(self.served.port)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", "no answer\n"))

    def test_the_client_in_python_has_ten_lines_and_buys(self):
        done = self.run_client_in_python(self.served.port)
        self.assertEqual(done.stdout, "ok ok\n")
        self.assertIn("It prints `ok ok`", self.text)
        self.log_in()
        self.assertIn("\t97\n", self.stockctl("inventory", "tissues").stdout)

    def test_the_readings_look_as_it_says(self):
        transcript.check(self, self.served, transcript.parse(self.block("$ mkdir /tmp/today")), "README")


if __name__ == "__main__":
    main()
