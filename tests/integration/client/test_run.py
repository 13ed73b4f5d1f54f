"""script/run on a terminal, when its client or its broker comes to a bad end."""

import os
import re
import signal

import broker
from client_support import Case, main


class Run(Case):
    def setUp(self):
        super().setUp()
        self.copy_run()
        del self.environment["STOCK_ENDPOINT"], self.environment["STOCK_STATE"]
        self.addCleanup(lambda: [os.kill(process, signal.SIGKILL)
                                 for process in self.find("stock") + self.find("stockd")])

    def find(self, name):
        """The processes of this program that script/run has started here."""
        found = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/comm", encoding="utf-8") as file:
                    is_named = file.read() == name + "\n"
                if is_named and os.readlink(f"/proc/{process}/cwd") == os.path.realpath(self.home):
                    found.append(int(process))
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                pass  # it has ended
        return found

    def visit(self):
        """script/run at its prompt; the terminal's settings are shown before and after it."""
        echo = "stty -a | tr ' ;' '\\n\\n' | grep '^-*echo$'"
        screen = self.screen("-c", f"{echo}; {self.home}/script/run; echo ended with $?; {echo}",
                             program="bash", height=50)
        screen.wait_for(r"\Aecho\n(.|\n)*^stock> ?\Z")
        return screen

    def end(self, screen, name, signal_number):
        processes = self.find(name)
        self.assertEqual(len(processes), 1)
        os.kill(processes[0], signal_number)

    def test_a_client_that_is_killed_leaves_the_terminal_as_it_was(self):
        screen = self.visit()
        self.end(screen, "stock", signal.SIGKILL)
        screen.wait_for_end()
        self.assertRegex(screen.text(), r"\nstock>\s*script/run: the client was killed\n"
                         r"ended with 137\necho\Z")
        self.assertEqual(self.find("stockd"), [])

    def test_a_broker_that_is_killed_is_told_in_a_sentence(self):
        screen = self.visit()
        self.end(screen, "stockd", signal.SIGKILL)
        screen.type("quit")
        screen.press("Enter")
        screen.wait_for_end()
        self.assertIn("stock> quit\nscript/run: the broker was killed; its messages: "
                      "build/run/broker.log\nended with 0\necho", screen.text())

    def test_a_broker_that_does_not_stop_is_killed_in_the_end(self):
        screen = self.visit()
        self.end(screen, "stockd", signal.SIGSTOP)
        screen.type("quit")
        screen.press("Enter")
        screen.wait_for_end()
        self.assertIn("stock> quit\nscript/run: the broker did not stop within 20 seconds and was "
                      "killed;", re.sub(r"\s*\n(?=killed)", " ", screen.text()))
        self.assertEqual(self.find("stockd"), [])

    def test_the_first_build_is_told_and_no_other(self):
        programs = os.path.join(self.home, "build", "release", "bin")
        os.remove(programs)
        with open(os.path.join(self.home, "script", "build"), "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nln -sfn {broker.BIN} {programs}\n")
        for told in ["script/run: building, which takes a minute or two the first time…\n", ""]:
            done = self.run_program(os.path.join(self.home, "script", "run"), text="ping\n")
            self.assertEqual((done.returncode, done.stderr), (0, told))

    def test_the_endpoint_of_the_last_broker_is_not_taken_for_that_of_the_next(self):
        run = os.path.join(self.home, "script", "run")
        self.assertEqual(self.run_program(run, text="ping\n").returncode, 0)
        hook = os.path.join(self.home, "hook")
        with open(hook, "w", encoding="utf-8") as file:  # bash runs it, and the trap before each command
            file.write("trap '[[ $BASH_COMMAND != setsid* ]] || cp build/run/broker.log found' DEBUG\n")
        self.assertEqual(self.run_program(run, text="ping\n", BASH_ENV=hook).returncode, 0)
        with open(os.path.join(self.home, "found"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "")

    def test_a_visit_that_ends_well_says_nothing_about_the_broker(self):
        screen = self.visit()
        screen.type("quit")
        screen.press("Enter")
        screen.wait_for_end()
        self.assertIn("stock> quit\nended with 0\necho", screen.text())
        self.assertEqual(self.find("stockd"), [])


if __name__ == "__main__":
    main()
