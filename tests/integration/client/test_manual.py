"""The manual pages: they render, know every option and exit status, and their examples work."""

import glob
import os
import re
import shutil
import subprocess
import unittest

import broker
import transcript
from client_support import Case, main

MAN = os.path.join(os.path.dirname(broker.BIN), "man")
PAGES = os.path.join(broker.SOURCE, "docs", "man")
PROGRAMS = {"stock": 1, "stockctl": 1, "stockd": 8, "stock-fsck": 1, "readings": 1, "readings-cat": 1}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def source_of(page):
    """The source of a page but for its examples, without the marks of the format."""
    return re.sub(r"(?<!\\)[*]|\\|^# EXAMPLES$.*?(?=^# )", "",
                  read(os.path.join(PAGES, page + ".scd")), flags=re.M | re.S)


def section(page, name):
    return re.search(rf"^# {name}\n(.*?)(?=^# |\Z)", read(os.path.join(PAGES, page + ".scd")),
                     re.M | re.S).group(1)


def pages():
    return sorted(os.path.basename(path)[:-4] for path in glob.glob(os.path.join(PAGES, "*.scd")))


def rendered_examples(page):
    """The blocks of the examples of a page, as somebody reads them who opens it."""
    shown = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=300", os.path.join(MAN, page)], check=True,
                           stdout=subprocess.PIPE, encoding="utf-8").stdout
    plain = re.sub(".\b", "", shown)  # a bold letter is one on top of another
    part = re.search(r"^EXAMPLES\n(.*?)(?=^\S)", plain, re.M | re.S).group(1)
    margin = " " * 11
    blocks = re.split(r"^ {,10}\S.*\n", part, flags=re.M)
    return "".join(re.sub(f"^{margin}", "", block.strip("\n") + "\n", flags=re.M) for block in blocks if block.strip())


def examples_of(page):
    """[command, what it prints] of each example, in the order of the page."""
    return transcript.parse(rendered_examples(page))


class Manual(Case):
    def help_of(self, program):
        return self.run_program(os.path.join(broker.BIN, program), "--help").stdout

    def test_every_page_renders(self):
        self.assertGreaterEqual(len(pages()), 8)
        if shutil.which("scdoc") is None:
            self.skipTest("no scdoc")
        for page in pages():
            path = os.path.join(MAN, page)
            for tool, command in [("mandoc", ["mandoc", "-Tlint", "-Werror", path]),
                                  ("man", ["man", "--warnings=all", "-l", path])]:
                if shutil.which(tool) is not None:
                    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          encoding="utf-8", env={**self.environment, "MANWIDTH": "80"})
                    self.assertEqual((done.returncode, done.stderr), (0, ""), (page, done.stdout))

    def test_options_and_help_agree(self):
        for program, number in PROGRAMS.items():
            known = set(re.findall(r"(?<!\w)--[a-z][a-z-]*", self.help_of(program)))
            told = set(re.findall(r"(?<!\w)--[a-z][a-z-]*", source_of(f"{program}.{number}")))
            self.assertEqual(known, told, program)

    def test_help_fits_a_terminal_and_looks_the_same_everywhere(self):
        text = self.stockctl("help").stdout
        for name in re.findall(r"^  ([a-z]+)", text, re.M):
            text += self.stockctl("help", name).stdout
        for program in PROGRAMS:
            told = self.help_of(program)
            text += told
            self.assertRegex(told, rf"\A{program} - .*\n\nUsage:\n  {program} ")
            parts = [part for part in re.findall(r"^([A-Z][a-z ]+):$", told, re.M) if part not in (
                "Commands", "Files")]
            self.assertEqual(parts, ["Usage", "Options", "Exit status", "Examples"], program)
        self.assertEqual([line for line in text.splitlines() if len(line) > 80], [])

    def test_exit_statuses_and_help_agree(self):
        for program, number in PROGRAMS.items():
            text = re.search(r"Exit status:.*?(?=\n\n|\Z)", self.help_of(program), re.S).group(0)
            told = set(re.findall(r"\*(\d+)\*", section(f"{program}.{number}", "EXIT STATUS")))
            self.assertEqual(set(re.findall(r"\b(\d+)\b", text)), told, program)

    def test_every_setting_of_the_client_has_its_place(self):
        told = section("stockbus.conf.5", "CLIENT.CONF")
        for line in self.stockctl("config").stdout.splitlines():
            self.assertIn(f"*{line.split()[0]}*", told)

    def test_the_bounds_of_a_connection_are_those_of_the_protocol(self):
        bounds = re.findall(r"\b\d+,\d{3}\b", source_of("stockd.8"))
        self.assertTrue(bounds)
        for bound in bounds:
            self.assertIn(bound, read(os.path.join(broker.SOURCE, "PROTOCOL.md")))

    @unittest.skipUnless(shutil.which("scdoc") and shutil.which("mandoc"), "no scdoc, or no mandoc")
    def test_a_program_in_a_page_is_read_as_it_is_compiled(self):
        program = read(os.path.join(broker.SOURCE, "docs", "examples", "buy.c"))
        self.assertIn(program, rendered_examples("stockbus.3"))

    @unittest.skipUnless(shutil.which("scdoc") and shutil.which("mandoc"), "no scdoc, or no mandoc")
    def test_the_examples_print_what_stands_in_the_pages(self):
        for page in pages():
            if page == "stockbus.3":  # a program in C, which the test of the library runs
                continue
            password = {"STOCK_PASSWORD": "apple"} if page == "stockctl.1" else {}
            served = self.broker(page, inventory=None).start()
            transcript.check(self, served, examples_of(page), page, tabs=False, **password)


if __name__ == "__main__":
    main()
