"""The manual pages: they render, know every option and exit status, and their examples work."""

import glob
import os
import re
import shutil
import subprocess

import broker
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


def is_complete(command):
    """Would bash wait for more of it?"""
    return subprocess.run(["bash", "-n", "-c", command], stderr=subprocess.DEVNULL).returncode == 0


def examples_of(page):
    """[command, what it prints] of each example, in the order of the page."""
    examples = []
    for block in re.findall(r"^```\n(.*?)^```$", section(page, "EXAMPLES"), re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                examples.append([line[2:], ""])
            elif not is_complete(examples[-1][0]):
                examples[-1][0] += "\n" + line
            else:
                examples[-1][1] += line + "\n"
    return examples


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

    def test_help_fits_a_terminal(self):
        for program in ["stock", "stockctl"]:
            text = self.help_of(program) + self.stockctl("help").stdout
            for name in re.findall(r"^  ([a-z]+)", self.stockctl("help").stdout, re.M):
                text += self.stockctl("help", name).stdout
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

    def test_the_examples_print_what_stands_in_the_pages(self):
        for page in pages():
            if page != "stockbus.3":  # a program in C, which the test of the library runs
                self.run_examples(page, examples_of(page))

    def test_the_examples_of_help_work(self):
        with open(os.path.join(self.home, "orders.txt"), "w", encoding="utf-8") as file:
            file.write("buy cola 1\n")
        for program in ["stock", "stockctl"]:
            text = self.help_of(program).split("Examples:\n")[1]
            self.run_examples(program, [[line.strip(), "..."] for line in text.splitlines()])

    def test_the_examples_of_each_command_work(self):
        for name, text in [("orders.txt", "buy cola 1\n"), ("north.password", "apple\n")]:
            path = os.path.join(self.home, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, 0o600)
        served = self.serve("commands")
        for line in self.stockctl("help").stdout.splitlines():
            command = line.split()[0]
            text = self.stockctl("help", command).stdout.split("Examples:\n")[1]
            for user in ["depot", "north"] if command == "restock" else ["north"]:
                status = 1 if command == "restock" and user == "north" else 0
                script = "".join(f"stockctl {example.strip()}\n" for example in text.splitlines()
                                 if not example.strip().startswith("login")) or "true\n"
                self.stockctl("login", user, password=broker.PASSWORDS[user],
                              STOCK_ENDPOINT=served.endpoint, STOCK_STATE=served.directory + "-client")
                done = self.bash(script, served, STOCK_PASSWORD="apple")
                self.assertEqual(done.returncode, status, (command, done))

    def serve(self, name):
        """A broker with the inventory and the users that the examples speak of."""
        return self.broker(name, inventory=None).start()

    def bash(self, script, served, **more):
        environment = {**self.environment, "PATH": f"{broker.BIN}:{os.environ['PATH']}",
                       "STOCK_ENDPOINT": served.endpoint, "STOCK_STATE": served.directory + "-client"}
        return subprocess.run(
            ["bash", "-c", script.replace(":5570", f":{served.port}")], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=self.home,
            timeout=broker.PATIENCE_S, preexec_fn=broker.die_with_parent, env={**environment, **more})

    def run_examples(self, page, examples):
        """Runs the commands of a page in one shell and compares what each of them prints."""
        self.assertTrue(examples, page)
        if not os.path.exists(os.path.join(self.home, "conf")):
            os.symlink(broker.CONF, os.path.join(self.home, "conf"))
        mark = "=== next"
        script = "".join(f"{command}\necho '{mark}'\n" for command, _ in examples)
        password = {"STOCK_PASSWORD": "apple"} if page in ("stock", "stockctl") else {}
        done = self.bash(script, self.serve(page), **password)
        printed = done.stdout.split(mark + "\n")
        self.assertEqual(len(printed), len(examples) + 1, (page, done))
        for (command, expected), shown in zip(examples, printed):
            if expected.strip() != "...":
                self.assertEqual(shown, expected, (page, command, done.stderr))


if __name__ == "__main__":
    main()
