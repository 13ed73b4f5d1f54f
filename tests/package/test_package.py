"""The Debian package, from its installation to its end, in a root of its own.

What README.md says about production is run as it stands there; nothing of systemd runs in that root, and
tests/package/systemctl stands in its place. Where namespaces can be made, systemd itself then runs the
broker as its unit says.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

import broker
from broker import Case, SKIPPED, is_sanitized, wait_until

BUILD = os.path.dirname(broker.BIN)
PASSWORDS = {"depot": "cherry", "north": "apple"}
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "HOME": "/root",
                  "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
INSTALL = "apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold "
# Kept from one run to the next: a Debian with nothing in it.
EMPTY_ROOT = os.path.join(os.path.dirname(BUILD), "debian")


def skip(reason):
    print(f"skipped: {reason}", file=sys.stderr)
    sys.exit(SKIPPED)


def empty_root():
    """Makes the empty Debian, once."""
    if os.geteuid() != 0:
        skip("a root of its own needs root")
    for tool in ("debootstrap", "cpack", "dpkg-deb", "dpkg-shlibdeps", "file"):
        if shutil.which(tool) is None:
            skip(f"there is no {tool}")
    if not os.path.exists(EMPTY_ROOT):
        with open(EMPTY_ROOT + ".log", "w", encoding="utf-8") as log:
            done = subprocess.run(["debootstrap", "--variant=minbase", "bookworm",
                                   EMPTY_ROOT + ".new"], stdout=log, stderr=log, check=False)
        if done.returncode != 0:
            shutil.rmtree(EMPTY_ROOT + ".new", ignore_errors=True)
            skip(f"debootstrap failed, see {EMPTY_ROOT}.log")
        os.rename(EMPTY_ROOT + ".new", EMPTY_ROOT)


def commands_of_readme():
    """[user's prompt, command, what it prints] of the section about production."""
    with open(os.path.join(broker.SOURCE, "README.md"), encoding="utf-8") as file:
        section = re.search(r"^## Into production in ten minutes\n(.*?)^## ", file.read(),
                            re.M | re.S).group(1)
    commands = []
    for block in re.findall(r"^```\n(.*?)^```$", section, re.M | re.S):
        for line in block.splitlines():
            if line[:2] in ("# ", "$ "):
                commands.append([line[0], line[2:], ""])
            else:
                commands[-1][2] += line + "\n"
    return commands


def blocks_of_security():
    """The code blocks of docs/security.md about keys."""
    with open(os.path.join(broker.SOURCE, "docs", "security.md"), encoding="utf-8") as file:
        section = re.search(r"^## Keys in five commands\n(.*?)^## ", file.read(), re.M | re.S)
    return re.findall(r"^```\n(.*?)^```$", section.group(1), re.M | re.S)


class Package(Case):
    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.directory, "root")
        subprocess.run(["cp", "-a", "--reflink=auto", EMPTY_ROOT, self.root], check=True)
        shutil.copy("/etc/resolv.conf", self.inside("/etc/resolv.conf"))
        shutil.copy(os.path.join(broker.SOURCE, "tests", "package", "systemctl"),
                    self.inside("/usr/local/bin/systemctl"))
        # As an image of Debian does: nothing is started by packages.
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        self.addCleanup(self.stop)
        self.endpoint = ""

    def inside(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def write(self, path, text, mode=0o644):
        with open(self.inside(path), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.inside(path), mode)

    def read(self, path):
        with open(self.inside(path), encoding="utf-8") as file:
            return file.read()

    def stop(self):
        """Ends a broker that still runs in there."""
        if os.path.exists(self.inside("/run/stockd.pid")):
            self.run_inside("systemctl stop stockd", status=None)

    def run_inside(self, command, status=0, user="root", **environment):
        """Runs a command of the shell in the root; returns what it wrote."""
        words = ["chroot", self.root]
        if user != "root":
            words += ["setpriv", "--reuid", user, "--regid", user, "--init-groups"]
        done = subprocess.run(
            [*words, "/bin/bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, encoding="utf-8", errors="replace", check=False,
            env={**NONINTERACTIVE, "STOCK_ENDPOINT": self.endpoint, **environment})
        print(f"{'#' if user == 'root' else '$'} {command}\n{self.digest(done.stdout)}", end="")
        if status is not None:
            self.assertEqual(done.returncode, status, f"{command}\n{done.stdout}")
        return done.stdout

    @staticmethod
    def digest(text):
        """Apt tells too much."""
        lines = text.splitlines(keepends=True)
        return text if len(lines) < 12 else "…\n" + "".join(lines[-4:])

    def build(self):
        """Builds the package; returns its name in the root."""
        packages = os.path.join(self.directory, "packages")
        done = subprocess.run(
            ["cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", packages],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False,
            cwd=self.directory)
        self.assertEqual(done.returncode, 0, done.stdout)
        (path,) = glob.glob(os.path.join(packages, "stockbus_*.deb"))
        folder = self.inside("/build/release/packages")
        os.makedirs(folder)
        return os.path.relpath(shutil.copy(path, folder), self.root)

    def build_next(self, path, version="99.0"):
        """Makes a later version of a package, whose configuration files differ."""
        tree = os.path.join(self.directory, version)
        subprocess.run(["dpkg-deb", "-R", self.inside(path), tree], check=True)
        control = os.path.join(tree, "DEBIAN", "control")
        with open(control, encoding="utf-8") as file:
            text = re.sub(r"^Version: .*$", f"Version: {version}", file.read(), flags=re.M)
        with open(control, "w", encoding="utf-8") as file:
            file.write(text)
        for name in ("broker", "client", "users"):
            with open(os.path.join(tree, "etc", "stockbus", f"{name}.conf"), "a",
                      encoding="utf-8") as file:
                file.write("# of the next version\n")
        subprocess.run(["dpkg-deb", "-b", "--root-owner-group", tree, self.inside("/next.deb")],
                       check=True, stdout=subprocess.DEVNULL)
        return "/next.deb"

    def find_endpoint(self):
        match = wait_until(lambda: re.search(r"^stockd: ready on (\S+)$",
                                             self.read("/run/stockd.log"), re.M), "an endpoint")
        self.endpoint = match.group(1)

    def go_into_production(self):
        """Follows README.md, as root and as somebody who is nobody special."""
        self.run_inside("useradd -m visitor")
        for prompt, command, printed in commands_of_readme():
            if command == "script/package":
                continue  # done by build()
            command = command.replace("apt-get install", INSTALL)
            user = re.search(r"(?:printf '|stockctl login )(\w+)", command)
            password = PASSWORDS[user.group(1)] if user else ""
            if "--hash-password" in command:
                command = command.replace("stockd --hash", f"echo {password} | stockd --hash")
            run = self.run_inside if prompt == "#" else self.run_as_visitor
            told = run(command, **({"STOCK_PASSWORD": password} if password else {}))
            if printed:
                self.assertEqual(told, printed, command)
            if command.startswith("systemctl enable"):
                self.find_endpoint()

    def run_as_visitor(self, command, **environment):
        return self.run_inside(command, user="visitor", HOME="/home/visitor", **environment)

    def encrypt(self):
        """Follows docs/security.md, with the visitor as the shop."""
        broker_conf, client_conf, five, owner, ping, _, _ = blocks_of_security()
        with open(self.inside("/etc/stockbus/broker.conf"), "a", encoding="utf-8") as file:
            file.write(broker_conf)
        self.run_as_visitor("umask 077; mkdir -p ~/.config/stockbus")
        self.write("/home/visitor/.config/stockbus/client.conf", client_conf)
        for line in five.splitlines() + owner.splitlines():
            machine, command = re.fullmatch(r"(broker|shop)[#$] (.*)", line).groups()
            if command.startswith("scp"):
                # Root may read and write on both machines; what the shop gets is the shop's.
                command = re.sub("^scp", "umask 022; cp", command.replace("broker:", ""))
                self.run_inside(command, HOME="/home/visitor")
            else:
                (self.run_inside if machine == "broker" else self.run_as_visitor)(command)
        self.assertIn("the configuration is good", self.run_inside("stockd --check-config"))
        self.run_inside("systemctl restart stockd")
        self.find_endpoint()
        self.assertIn("keys that may connect: 1", self.read("/run/stockd.log"))
        self.assertIn("answers after", self.run_as_visitor(ping.removeprefix("shop$ ").strip()))

    def check_installed(self):
        for program in ("stockd", "stock", "stockctl", "stock-fsck", "readings", "readings-cat"):
            self.assertRegex(self.run_inside(f"{program} --version"), rf"^{program} \d")
        self.assertEqual(self.run_inside("stat -c '%U:%G %a' /etc/stockbus/users.conf"),
                         "stockbus:stockbus 600\n")
        self.assertEqual(self.run_inside("stat -c '%U:%G %a' /var/lib/stockbus"),
                         "stockbus:stockbus 700\n")
        self.assertEqual(self.run_inside("getent passwd stockbus").rsplit(":", 1)[1].strip(),
                         "/usr/sbin/nologin")
        documents = "/usr/share/doc/stockbus/"
        linked = re.findall(r"\]\((docs/[^)#]+)", self.read(documents + "README.md"))
        self.assertIn("docs/examples/buy.c", linked)
        missing = [name for name in linked if not os.path.exists(self.inside(documents + name))]
        self.assertEqual(missing, [])
        self.assertIn("Permission denied", self.run_inside(
            "setpriv --reuid nobody --regid nogroup --clear-groups cat /etc/stockbus/users.conf",
            status=1))

    def check_left(self, name):
        """What is left of the package when it is gone."""
        return self.run_inside(
            "find / -xdev \\( -path /proc -o -path /var/cache -o -path /home -o -path /run "
            "-o -path /build -o -path /usr/local \\) -prune -o "
            f"-path '*{name}*' -not -name '*.deb' -print 2>/dev/null", status=None)

    def test_a_package_lives_from_installation_to_purge(self):
        package = self.build()
        self.run_inside("apt-get update -q")
        self.run_inside(f"{INSTALL} ./{package}")
        self.check_installed()
        # Nothing is served before there is somebody to serve.
        self.assertIn("holds no account", self.run_inside("stockd --check-config", status=2))
        self.assertIn("holds no account", self.run_inside("systemctl enable --now stockd", status=1))

        self.go_into_production()
        self.assertIn("bought 1 ", self.run_as_visitor("stockctl buy tissues 1"))

        # Somebody changes the configuration; an upgrade keeps that, the data and the logins.
        self.run_inside("sed -i 's/^lanes = .*/lanes = 3/' /etc/stockbus/broker.conf")
        self.run_inside(f"{INSTALL} {self.build_next(package)}")
        self.run_inside("systemctl restart stockd")
        self.find_endpoint()
        self.assertIn("lanes = 3", self.read("/etc/stockbus/broker.conf"))
        self.assertNotIn("next version", self.read("/etc/stockbus/broker.conf"))
        self.assertIn("next version", self.read("/etc/stockbus/client.conf"))
        self.check_installed()
        self.run_as_visitor("stockctl buy tissues 1")
        self.assertIn("036000291452\tFacial tissues, 160 sheets\t95\n", self.run_as_visitor("stockctl inventory"))
        self.run_inside("systemctl reload stockd")
        wait_until(lambda: "read the accounts again" in self.read("/run/stockd.log"), "a reload")

        # Removed, it leaves what is not its own to throw away; installed again, it goes on.
        self.run_inside("systemctl stop stockd")
        self.run_inside("apt-get remove -y -q stockbus")
        left = self.check_left("stock")
        self.assertNotIn("/usr/", left.replace("/usr/share/doc", "/usr/doc"))
        self.assertIn("/etc/stockbus/users.conf\n", left)
        self.assertRegex(left, "/var/lib/stockbus/journal-.*msgpack\n")
        self.run_inside(f"{INSTALL} ./{package}")
        self.run_inside("systemctl enable --now stockd")
        self.find_endpoint()
        self.assertIn("036000291452\tFacial tissues, 160 sheets\t95\n", self.run_as_visitor("stockctl inventory"))
        self.encrypt()
        self.run_inside("systemctl stop stockd")

        self.run_inside("apt-get purge -y -q stockbus")
        self.assertEqual(self.check_left("stockbus"), "")
        self.assertEqual(self.check_left("readings"), "")
        self.run_inside("test ! -e /etc/stockbus && getent passwd stockbus")

    def cgroup(self):
        """A control group in which systemd can make its own; gone when the test is over."""
        with open("/proc/self/mounts", encoding="utf-8") as file:
            mounts = [line.split()[1] for line in file if line.split()[2] == "cgroup2"]
        try:
            path = os.path.join(mounts[0], f"stockbus-test-{os.getpid()}")
            os.mkdir(path)
        except (IndexError, OSError) as error:
            self.skipTest(f"no control groups: {error}")

        def remove():
            try:
                for folder, _, _ in os.walk(path, topdown=False):
                    os.rmdir(folder)
            except OSError:
                return False  # something is still ending in there
            return True

        self.addCleanup(wait_until, remove, "an empty control group")
        return path

    def boot(self):
        """Lets systemd run in the root; returns the start of a command that runs in there."""
        cgroup = os.path.join(self.cgroup(), "cgroup.procs")

        def enter():
            with open(cgroup, "w", encoding="utf-8") as file:
                file.write("0")

        script = os.path.join(broker.SOURCE, "tests", "package", "boot")
        process = subprocess.Popen(
            ["unshare", "-m", "-p", "-C", "-i", "-u", "-n", "-f", "--kill-child", script, self.root],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", preexec_fn=enter)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)

        def first_process():
            if process.poll() is not None:
                self.skipTest(f"systemd does not run in here: {process.stdout.read()}")
            path = f"/proc/{process.pid}/task/{process.pid}/children"
            with open(path, encoding="utf-8") as file:
                children = file.read().split()
            return children and children[0]

        pid = wait_until(first_process, "the first process")
        inside = ["nsenter", "-t", pid, "-m", "-p", "-C", "-i", "-u", "-n", "env"]
        inside += [f"{key}={value}" for key, value in NONINTERACTIVE.items()]

        def is_up():
            first_process()
            return subprocess.run([*inside, "systemctl", "is-system-running"], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  encoding="utf-8").stdout.strip() in ("running", "degraded")

        wait_until(is_up, "a system that runs")
        return inside

    def check_upgrades(self, package, run, show):
        """An upgrade restarts it, and succeeds also where it then does not come up."""
        os.remove(self.inside("/usr/sbin/policy-rc.d"))
        run("systemctl enable --now stockd")
        before = show("MainPID")
        run(f"dpkg -i --force-confold {self.build_next(package, '98.0')}")
        self.assertEqual((show("ActiveState"), show("MainPID") != before), ("active", True))
        run("cp /etc/stockbus/users.conf / && echo broken >>/etc/stockbus/users.conf")
        told = run(f"dpkg -i --force-confold {self.build_next(package, '99.0')}")
        self.assertIn("stockd does not come up again: see journalctl -u stockd\n", told)
        self.assertEqual(run("dpkg-query -W -f '${Status}' stockbus"), "install ok installed")
        run("cp /users.conf /etc/stockbus/ && systemctl reset-failed stockd && systemctl start stockd")

    def check_removal(self, run, show):
        """Removed, it is stopped and not started any more; purged, it is gone."""
        run("cp /users.conf /etc/stockbus/ && systemctl reset-failed stockd && systemctl start stockd")
        run("dpkg -r stockbus")
        self.assertEqual(show("ActiveState"), "inactive")
        run("test ! -e /etc/systemd/system/multi-user.target.wants/stockd.service")
        run("dpkg -P stockbus && test ! -e /etc/stockbus && test ! -e /var/lib/stockbus")

    def test_systemd_starts_confines_restarts_and_activates_it(self):
        package = self.build()
        os.remove(self.inside("/usr/local/bin/systemctl"))
        self.run_inside("apt-get update -q")
        self.run_inside(f"{INSTALL} systemd ./{package}")
        for _, command, _ in commands_of_readme():
            if command.startswith(("hash=", "echo")):
                self.run_inside(command.replace("stockd --hash", "echo apple | stockd --hash"))
        start = self.boot()

        def run(command, status=0):
            done = subprocess.run([*start, "STOCK_PASSWORD=apple", "sh", "-c", command], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
            print(f"# {command}\n{done.stdout}", end="")
            self.assertEqual(done.returncode, status, f"{command}\n{done.stdout}")
            return done.stdout

        def show(name):
            return run(f"systemctl show stockd -p {name} --value").strip()

        # It starts within the limits of its unit, and tells so.
        run("systemctl start stockd")
        self.assertEqual(show("StatusText"), "serving on tcp://127.0.0.1:5570")
        status = run("cat /proc/$(systemctl show stockd -p MainPID --value)/status")
        for line in (r"CapEff:\t0+$", r"CapBnd:\t0+$", r"NoNewPrivs:\t1$", r"Seccomp:\t2$"):
            self.assertRegex(status, re.compile("^" + line, re.M))
        run("stockctl login north")
        run("stockctl buy tissues 3")
        run("systemctl reload stockd")
        wait_until(lambda: "read the accounts again" in run("journalctl -u stockd -o cat"), "a reload")
        self.assertEqual(show("ActiveState"), "active")

        # A crash costs nothing that was answered.
        run("kill -KILL $(systemctl show stockd -p MainPID --value)")
        wait_until(lambda: show("NRestarts") == "1" and show("SubState") == "running", "a restart")
        self.assertIn("\t97\n", run("stockctl inventory 036000291452"))

        # With the socket unit, a client starts it.
        run("systemctl stop stockd && systemctl start stockd.socket")
        self.assertEqual(show("ActiveState"), "inactive")
        run("stockctl buy tissues 1")
        self.assertEqual(show("ActiveState"), "active")
        run("systemctl stop stockd.socket stockd")

        self.check_upgrades(package, run, show)

        # What wants a person is not started again and again.
        run("systemctl stop stockd")
        run("echo broken >>/etc/stockbus/users.conf")
        run("systemctl start stockd", status=1)
        self.assertEqual((show("ActiveState"), show("NRestarts"), show("ExecMainStatus")),
                         ("failed", "0", "2"))

        self.check_removal(run, show)


if __name__ == "__main__":
    if is_sanitized():
        skip("packages are made of the release preset")
    empty_root()
    unittest.main()
