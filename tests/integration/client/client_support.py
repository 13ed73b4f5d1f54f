"""What the tests of stock and stockctl share: programs in a pipe, and on the screen of a terminal."""

import json
import os
import re
import shutil
import subprocess
import unittest

import broker

STOCK = os.path.join(broker.BIN, "stock")
STOCKCTL = os.path.join(broker.BIN, "stockctl")
STOCK_FSCK = os.path.join(broker.BIN, "stock-fsck")
ENDPOINT = "tcp://127.0.0.1:PORT"

INVENTORY = """\
036000291452     100  Facial tissues, 160 sheets
046700000018      30  緑茶 green tea, 100 g
049000006346    1300  Cola, 330 ml can
021130000012     210  Milk, 1 l
098000000014       0  Crème brûlée mix, 200 g
076808501001     160  Spaghetti, 500 g
"""


def without_waits(text):
    """A text of a client without the lines that tell of waits: on a slow machine there may be some anywhere."""
    return re.sub(r"^.*tcp://\S+ has not\s+answered\s+yet;[^…]*…[^)]*\)(?:\x1b\[39m)?\n?", "", text, flags=re.M)


class Case(broker.Case):
    """A test with a broker, and a home for its clients that nobody else has."""

    def setUp(self):
        super().setUp()
        self.home = os.path.join(self.directory, "home")
        self.state = os.path.join(self.home, "state")
        os.makedirs(self.home)
        self.served = self.broker(inventory=INVENTORY).start()
        self.environment = {
            **{key: value for key, value in os.environ.items()
               if not key.startswith(("STOCK_", "XDG_")) and key not in ("TMUX", "NO_COLOR")},
            "HOME": self.home, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
            "STOCK_ENDPOINT": self.served.endpoint, "STOCK_STATE": self.state,
            "STOCK_TIMEOUT": str(1000 * broker.PATIENCE_S)}

    def run_program(self, program, *arguments, password="apple", text=None, **environment):
        """Runs a program to its end in a pipe; out and err are texts, without the port, and without_waits()."""
        more = {} if password is None else {"STOCK_PASSWORD": password}
        words = [word if isinstance(word, bytes) else str(word) for word in arguments]
        done = subprocess.run(
            [program, *words], input=text or "", stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8", timeout=broker.PATIENCE_S, cwd=self.home,
            preexec_fn=broker.die_with_parent, env={**self.environment, **more, **environment})
        done.stdout = without_waits(self.hide_port(done.stdout))
        done.stderr = without_waits(self.hide_port(done.stderr))
        return done

    def stockctl(self, *arguments, status=0, **more):
        done = self.run_program(STOCKCTL, *arguments, **more)
        self.assertEqual(done.returncode, status, done)
        return done

    def json(self, *arguments, status=0, **more):
        """What jq makes of the answer: one object, or nothing."""
        done = self.stockctl("--json", *arguments, status=status, **more)
        read = subprocess.run(["jq", "-c", "."], input=done.stdout, stdout=subprocess.PIPE,
                              encoding="utf-8", check=True)
        lines = read.stdout.splitlines()
        self.assertEqual(len(lines), 1, done)
        self.assertEqual(len(done.stdout.splitlines()), 1, done)
        answer = json.loads(lines[0])
        self.assertEqual(answer["ok"], status == 0)
        return answer

    def log_in(self, user="north"):
        self.stockctl("login", user, password=broker.PASSWORDS[user])

    def hide_port(self, text):
        return text.replace(f":{self.served.port}", ":PORT")

    def copy_run(self):
        """Puts what script/run needs into the home, with the programs that are tested."""
        os.makedirs(os.path.join(self.home, "script"))
        os.makedirs(os.path.join(self.home, "build", "release"))
        os.symlink(broker.BIN, os.path.join(self.home, "build", "release", "bin"))
        shutil.copytree(broker.CONF, os.path.join(self.home, "conf"))
        shutil.copy(os.path.join(broker.SOURCE, "script", "run"), os.path.join(self.home, "script"))
        build = os.path.join(self.home, "script", "build")
        with open(build, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n")
        os.chmod(build, 0o755)

    def screen(self, *arguments, width=80, height=24, program=STOCK, **environment):
        """A program on a terminal of its own, gone when the test is over."""
        screen = Screen(self, width, height, [program, *map(str, arguments)], environment)
        self.addCleanup(screen.close)
        return screen


class Screen:
    """A terminal, drawn by tmux."""

    count = 0

    def __init__(self, case, width, height, command, environment):
        Screen.count += 1
        self.case = case
        self.socket = os.path.join(case.directory, f"tmux-{Screen.count}")
        settings = self.socket + ".conf"
        with open(settings, "w", encoding="utf-8") as file:
            file.write("set -g exit-empty off\nset -g remain-on-exit on\nset -g status off\n"
                       "set -g default-terminal screen\nset -g remain-on-exit-format ''\n")
        self.server = subprocess.Popen(
            ["tmux", "-u", "-D", "-S", self.socket, "-f", settings], stdin=subprocess.DEVNULL,
            cwd=case.home, env={**case.environment, "TERM": "screen", **environment},
            preexec_fn=broker.die_with_parent)
        broker.wait_until(lambda: os.path.exists(self.socket), "tmux")
        self.tmux("new-session", "-d", "-x", str(width), "-y", str(height), *command)

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-u", "-S", self.socket, *arguments], check=True,
                              stdout=subprocess.PIPE, encoding="utf-8").stdout

    def text(self, colors=False):
        """What stands on the screen, without the port and without empty lines at the end."""
        drawn = self.tmux("capture-pane", "-p", *(["-e"] if colors else []))
        return self.case.hide_port("\n".join(map(str.rstrip, drawn.splitlines()))).rstrip("\n")

    def wait_for(self, pattern, colors=False):
        """Waits until the screen matches; returns it."""
        last = ""

        def matches():
            nonlocal last
            last = self.text(colors)
            return re.search(pattern, last, re.M)
        try:
            broker.wait_until(matches, pattern)
        except AssertionError as error:
            raise AssertionError(f"{error}, but there stood:\n{last}") from None
        return last

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def enter(self, text, prompt=r"> ?\Z"):
        """Types a line on a screen that is cleared first, and waits for the prompt behind it."""
        self.press("C-l")
        self.wait_for(r"\A\S.*> ?\Z")
        self.type(text)
        self.press("Enter")
        return self.wait_for(r"\A[^\n]*" + re.escape(text) + r"\n(.|\n)*" + prompt)

    def log_in(self, user="north"):
        self.wait_for(r"^stock> ?\Z")
        self.type(f"login {user}")
        self.press("Enter")
        self.wait_for("password of")
        self.type(broker.PASSWORDS[user])
        self.press("Enter")
        return self.wait_for(rf"^{user}> ?\Z")

    def wait_for_end(self):
        """Waits until the program has ended; returns its exit status."""
        broker.wait_until(lambda: self.tmux("list-panes", "-F", "#{pane_dead}").strip() == "1", "end")
        return int(self.tmux("list-panes", "-F", "#{pane_dead_status}").strip() or 0)

    def quit(self):
        """Ends stock, which stands at its prompt, so that its state directory is free."""
        self.type("quit")
        self.press("Enter")
        self.case.assertEqual(self.wait_for_end(), 0)
        self.close()

    def close(self):
        self.server.kill()
        self.server.wait()


def main():
    unittest.main(verbosity=1)
