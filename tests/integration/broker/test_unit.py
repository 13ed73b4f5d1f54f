"""The systemd units: they are well formed, and stockd lives within what they leave it."""

import os
import re
import shutil
import signal
import subprocess
import unittest

import broker
from broker import Case, PASSWORDS, STOCKD, is_sanitized
from stock_client import Client

SERVICE = os.path.join(os.path.dirname(broker.BIN), "conf", "stockd.service")
SOCKET = os.path.join(broker.SOURCE, "conf", "stockd.socket")
TISSUES = 36000291452
EXPOSURE_MAX = 15  # of 100, as systemd-analyze reckons

# Runs a program under the filters of the unit. What the unit would refuse with an error ends the
# program here, so that nothing is refused unnoticed. Arguments: calls that are allowed, families
# of addresses, the program.
CONFINE = """
import os, socket, sys
import seccomp
from seccomp import Arg, EQ, MASKED_EQ
PROT_WRITE, PROT_EXEC = 2, 4
calls, families, program = sys.argv[1].split(), sys.argv[2].split(), sys.argv[3:]
confined = seccomp.SyscallFilter(seccomp.KILL_PROCESS)
confined.set_attr(seccomp.Attr.CTL_NNP, 1)
for call in set(calls) - {"socket", "mmap", "mprotect", "pkey_mprotect"}:
    if seccomp.resolve_syscall(seccomp.Arch(), call) >= 0:
        confined.add_rule(seccomp.ALLOW, call)
for family in families:
    confined.add_rule(seccomp.ALLOW, "socket", Arg(0, EQ, getattr(socket, family)))
for protection in (0, PROT_WRITE, PROT_EXEC):
    confined.add_rule(seccomp.ALLOW, "mmap", Arg(2, MASKED_EQ, PROT_WRITE | PROT_EXEC, protection))
confined.add_rule(seccomp.ALLOW, "mprotect", Arg(2, MASKED_EQ, PROT_EXEC, 0))
confined.load()
os.execv(program[0], program)
"""
CAN_CONFINE = subprocess.run(["/usr/bin/python3", "-c", "import seccomp"], check=False,
                             stderr=subprocess.DEVNULL).returncode == 0


def setting(name):
    """The values of a setting of the service, in order."""
    with open(SERVICE, encoding="utf-8") as file:
        return re.findall(rf"^{name}=(.*)$", file.read(), re.M)


def calls_of(group):
    """The system calls of a group, with those of the groups in it."""
    told = subprocess.run(["systemd-analyze", "syscall-filter", group], stdout=subprocess.PIPE,
                          encoding="utf-8", check=True).stdout.split("\n")[1:]
    names = [line.strip() for line in told if line.strip() and not line.strip().startswith("#")]
    found = set()
    for name in names:
        found |= calls_of(name) if name.startswith("@") else {name}
    return found


def allowed_calls():
    """What SystemCallFilter= leaves."""
    allowed = calls_of("@default")
    for value in setting("SystemCallFilter"):
        groups = value.lstrip("~").split()
        found = set().union(*(calls_of(group) if group[0] == "@" else {group} for group in groups))
        allowed = allowed - found if value.startswith("~") else allowed | found
    return allowed


@unittest.skipIf(shutil.which("systemd-analyze") is None, "there is no systemd-analyze")
class Unit(Case):
    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", check=False)

    def service(self, change=lambda text: text):
        """A copy of the service that starts the built stockd."""
        path = os.path.join(self.directory, "stockd.service")
        with open(SERVICE, encoding="utf-8") as file:
            text = re.sub(r"^ExecStart=\S+/stockd", f"ExecStart={STOCKD}", file.read(), flags=re.M)
        with open(path, "w", encoding="utf-8") as file:
            file.write(change(text))
        return path

    def test_the_units_are_well_formed(self):
        service = self.service()
        sockets = shutil.copy(SOCKET, self.directory)
        for path in (service, sockets):
            done = self.analyze("verify", "--man=no", path)
            self.assertEqual((done.returncode, done.stdout), (0, ""), path)

    def test_a_unit_that_is_not_well_formed_is_noticed(self):
        done = self.analyze("verify", "--man=no",
                            self.service(lambda text: text.replace("UMask=", "UMusk=")))
        self.assertIn("UMusk", done.stdout)

    def test_little_is_exposed(self):
        options = ["security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager"]
        done = self.analyze(*options, self.service())
        self.assertEqual(done.returncode, 0, done.stdout)
        done = self.analyze(*options, self.service(
            lambda text: re.sub(r"^(SystemCall|Protect|Private).*\n", "", text, flags=re.M)))
        self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_the_socket_unit_listens_where_the_configuration_says(self):
        with open(os.path.join(broker.CONF, "broker.conf"), encoding="utf-8") as file:
            bind = re.search(r'^bind = "tcp://(.*)"$', file.read(), re.M).group(1)
        with open(SOCKET, encoding="utf-8") as file:
            streams = re.findall(r"^ListenStream=(.*)$", file.read(), re.M)
        self.assertEqual(set(streams), {bind})
        self.assertEqual(len(streams), 16)

    def confined(self):
        if not CAN_CONFINE:
            self.skipTest("there is no python3-seccomp")
        if is_sanitized():
            self.skipTest("sanitizers make calls of their own")
        return ["/usr/bin/python3", "-c", CONFINE, " ".join(allowed_calls()),
                " ".join(setting("RestrictAddressFamilies")[-1].split())]

    def test_a_full_day_makes_no_call_that_the_unit_refuses(self):
        for lanes, bind in [(16, "tcp://127.0.0.1:*"), (1, "tcp://localhost:*")]:
            self.spend_day(self.broker(f"lanes-{lanes}", lanes=lanes, bind=bind))

    def spend_day(self, served):
        for _ in range(2):  # on new data, and on what is there
            served.start(self.confined(), {"NOTIFY_SOCKET": os.path.join(self.directory, "none")})
            client = Client(served.endpoint)
            self.addCleanup(client.close)
            self.assertEqual(client.login("north", "wrong")["status"], "bad_credentials")
            self.assertEqual(client.login("depot", PASSWORDS["depot"])["status"], "ok")
            self.assertEqual(client.buy([TISSUES, 3])["status"], "ok")
            self.assertEqual(client.restock([TISSUES, 3])["status"], "ok")
            self.assertEqual(client.units(TISSUES), 100)
            served.signal(signal.SIGHUP)
            served.wait_for_line("read the accounts again")
            self.assertEqual(client.logout()["status"], "ok")
            self.assertEqual(served.terminate(), 0, served.lines)

    def test_a_call_that_the_unit_refuses_is_noticed(self):
        for code in ["os.chroot('/')", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
                     "mmap.mmap(-1, 4096, prot=7)"]:
            done = subprocess.run([*self.confined(), "/usr/bin/python3", "-c",
                                   f"import mmap, os, socket; {code}"], check=False)
            self.assertEqual(done.returncode, -signal.SIGSYS, code)
        done = subprocess.run([*self.confined(), "/usr/bin/python3", "-c", "print()"], check=False,
                              stdout=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
