"""The commands of docs/security.md do what stands there."""

import os
import re
import shlex
import subprocess
import unittest

from broker import BIN, PATIENCE_S, SOURCE, Case, die_with_parent

# Who copies from machine to machine in the document copies from folder to folder here.
STAND_IN = 'scp() { cp "${1#broker:}" "${2#broker:}"; }\n'


def blocks():
    """The code blocks of the section, in their order."""
    with open(os.path.join(SOURCE, "docs", "security.md"), encoding="utf-8") as file:
        section = re.search(r"^## Keys in five commands\n(.*?)^## ", file.read(), re.M | re.S)
    return re.findall(r"^```\n(.*?)^```$", section.group(1), re.M | re.S)


class Security(Case):
    def setUp(self):
        super().setUp()
        self.home = os.path.join(self.directory, "home")
        self.client_conf = os.path.join(self.home, ".config", "stockbus", "client.conf")
        os.makedirs(os.path.dirname(self.client_conf))

    def run_commands(self, block, served):
        """Runs the commands of a block; returns the last exit status and all that was said."""
        status, said = 0, ""
        for line in block.splitlines():
            machine, command = re.fullmatch(r"(broker|shop)\$ (.*)", line).groups()
            command = command.replace("/etc/stockbus", shlex.quote(served.directory))
            done = subprocess.run(
                ["bash", "-c", STAND_IN + command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                encoding="utf-8", timeout=PATIENCE_S, cwd=self.home, preexec_fn=die_with_parent,
                env={**{name: value for name, value in os.environ.items()
                        if name.endswith("SAN_OPTIONS")},
                     "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": self.home,
                     **({"STOCKD": str(served.process.pid)} if served.process else {})})
            status, said = done.returncode, said + done.stdout
        return status, said

    def test_five_commands_set_keys_up(self):
        broker_conf, client_conf, five, _, ping, reload, revoke = blocks()
        self.assertEqual(len(five.splitlines()), 5)
        served = self.broker()
        with open(served.config, "a", encoding="utf-8") as file:
            file.write(broker_conf)
        status, said = self.run_commands(five, served)
        self.assertEqual(status, 0, said)
        served.start()
        with open(self.client_conf, "w", encoding="utf-8") as file:
            file.write(f'endpoint = "{served.endpoint}"\n{client_conf}')
        self.assertIn("keys that may connect: 1", "\n".join(served.lines))
        status, said = self.run_commands(ping, served)
        self.assertEqual(status, 0, said)
        self.assertIn("answers after", said)

        self.assertEqual(self.run_commands(reload, served)[0], 0)
        served.wait_for_line("read the keys again; those that may connect: 1")
        self.assertEqual(self.run_commands(revoke, served)[0], 0)
        served.wait_for_line("read the keys again; those that may connect: 0")
        with open(self.client_conf, "a", encoding="utf-8") as file:
            file.write("timeout_ms = 300\n")
        status, said = self.run_commands(ping, served)
        self.assertEqual(status, 4, said)


if __name__ == "__main__":
    unittest.main()
