"""What stockd tells a service manager, and the sockets that it is handed."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import unittest

from broker import Case, PASSWORDS, PATIENCE_S
from stock_client import Client

TISSUES = 36000291452
HIGH = 100  # descriptors from here on are in nobody's way

# Does what a service manager does between fork and exec. Its arguments: the descriptors to hand
# over, the process they are for (or "self"), the program and its arguments.
HAND_OVER = """
import os, sys
fds = [int(fd) for fd in sys.argv[1].split(",") if fd]
for at, fd in enumerate(fds):
    os.dup2(fd, 3 + at)
if fds:
    os.environ["LISTEN_FDS"] = str(len(fds))
    os.environ["LISTEN_PID"] = str(os.getpid()) if sys.argv[2] == "self" else sys.argv[2]
os.execvp(sys.argv[3], sys.argv[3:])
"""


def listening(host="127.0.0.1", port=0, kind=socket.SOCK_STREAM, listens=True):
    """A socket that may share its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host, port))
    if listens:
        made.listen(100)
    return made


class Manager:
    """Starts a broker as a service manager would, and hears what it tells."""

    def __init__(self, case, broker):
        self.broker = broker
        self.path = os.path.join(case.directory, "notify")
        self.heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.heard.settimeout(PATIENCE_S)
        self.heard.bind(self.path)
        case.addCleanup(self.heard.close)
        self.stack = contextlib.ExitStack()
        case.addCleanup(self.stack.close)
        self.fds = []

    def hold(self, *opened):
        """Keeps sockets or files to be handed over."""
        for one in opened:
            self.stack.enter_context(one)
            fd = fcntl.fcntl(one.fileno(), fcntl.F_DUPFD_CLOEXEC, HIGH)
            self.stack.callback(os.close, fd)
            self.fds.append(fd)

    def hold_lanes(self, count, host="127.0.0.1"):
        """Keeps `count` sockets that share a port; returns their endpoint."""
        first = listening(host)
        port = first.getsockname()[1]
        self.hold(first, *(listening(host, port) for _ in range(count - 1)))
        return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"

    def launch(self, who="self", serves=True):
        wrapper = [sys.executable, "-c", HAND_OVER, ",".join(map(str, self.fds)), who]
        start = self.broker.start if serves else self.broker.launch
        start(wrapper, {"NOTIFY_SOCKET": self.path}, self.fds)
        return self.broker

    def next(self):
        """What it told next, as a map."""
        lines = self.heard.recv(4096).decode("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


class Service(Case):
    def manager(self, name="broker", **settings):
        return Manager(self, self.broker(name, **settings))

    def client(self, broker, user="north"):
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login(user, PASSWORDS[user])["status"], "ok")
        return client

    def count_listeners(self, broker):
        if shutil.which("ss") is None:
            self.skipTest("there is no ss")
        lines = subprocess.run(["ss", "-Hltnp"], stdout=subprocess.PIPE, encoding="utf-8",
                               check=True).stdout.splitlines()
        return sum(line.split()[3].endswith(f":{broker.port}") and
                   f"pid={broker.process.pid}," in line for line in lines)

    @contextlib.contextmanager
    def refused(self, *words, status=1, **settings):
        """Hands over to a broker what it cannot take; the body says what."""
        manager = self.manager(**settings)
        yield manager
        broker = manager.launch(serves=False)
        self.assertEqual(broker.wait(), status, broker.lines)
        self.assertEqual(len(broker.lines), 1, broker.lines)
        for word in words:
            self.assertIn(word, broker.lines[0])
        self.assertFalse(os.path.exists(broker.data))

    def test_the_manager_is_told_of_start_reload_and_end(self):
        manager = self.manager()
        broker = manager.launch()
        self.assertEqual(manager.next(),
                         {"READY": "1", "STATUS": f"serving on {broker.endpoint}"})
        broker.signal(signal.SIGHUP)
        self.assertEqual(manager.next(), {"RELOADING": "1"})
        self.assertEqual(manager.next(), {"READY": "1"})
        broker.signal(signal.SIGTERM)
        self.assertEqual(manager.next(), {"STOPPING": "1", "STATUS": "writing the snapshot"})
        self.assertEqual(broker.wait(), 0, broker.lines)

    def test_users_that_cannot_be_read_again_leave_it_ready(self):
        manager = self.manager()
        broker = manager.launch()
        self.assertEqual(manager.next()["READY"], "1")
        broker.file("users.conf", "no account\n")
        broker.signal(signal.SIGHUP)
        self.assertEqual(manager.next(), {"RELOADING": "1"})
        self.assertEqual(manager.next(), {"READY": "1"})
        broker.wait_for_line("the accounts stay as they were")

    def test_a_broker_that_fails_is_never_ready(self):
        manager = self.manager()
        manager.broker.file("users.conf", "no account\n")
        manager.launch(serves=False)
        self.assertEqual(manager.broker.wait(), 2, manager.broker.lines)
        manager.heard.setblocking(False)
        self.assertRaises(BlockingIOError, manager.next)

    def test_each_socket_that_is_handed_over_is_a_lane(self):
        for count in (1, 3):
            manager = self.manager(f"lanes-{count}", lanes=8)
            endpoint = manager.hold_lanes(count)
            broker = manager.launch()
            self.assertEqual(broker.endpoint, endpoint)
            self.assertEqual(self.count_listeners(broker), count)
            clients = [self.client(broker) for _ in range(6)]
            for client in clients:
                self.assertEqual(client.buy([TISSUES, 1])["status"], "ok")
            self.assertEqual(broker.terminate(), 0, broker.lines)
            os.remove(manager.path)

    def test_lanes_on_one_socket_that_blocks_do_not_hold_each_other_up(self):
        manager = self.manager()
        shared = listening()
        self.assertTrue(shared.getblocking())
        manager.hold(shared)
        manager.fds *= 2
        broker = manager.launch()
        for client in [self.client(broker) for _ in range(3)]:
            self.assertEqual(client.buy([TISSUES, 1])["status"], "ok")

    def test_it_may_be_an_address_of_ipv6(self):
        manager = self.manager()
        try:
            endpoint = manager.hold_lanes(2, host="::1")
        except OSError as error:
            self.skipTest(f"no IPv6: {error}")
        broker = manager.launch()
        self.assertEqual(broker.endpoint, endpoint)
        self.client(broker)

    def test_clients_wait_while_it_is_started_again(self):
        manager = self.manager()
        manager.hold_lanes(1)
        broker = manager.launch()
        self.assertEqual(broker.terminate(), 0, broker.lines)
        with socket.create_connection(("127.0.0.1", broker.port), PATIENCE_S) as early:
            manager.launch()
            self.assertTrue(early.recv(1))  # the greeting
        self.assertEqual(self.client(broker).units(TISSUES), 100)

    def test_what_is_meant_for_another_process_is_not_taken(self):
        manager = self.manager()
        endpoint = manager.hold_lanes(1)
        broker = manager.launch(who=str(os.getpid()))
        self.assertNotEqual(broker.endpoint, endpoint)

    def test_a_socket_that_does_not_listen_is_refused(self):
        with self.refused("descriptor 4", "no listening TCP socket") as manager:
            manager.hold(listening(), listening(listens=False))

    def test_what_is_no_tcp_socket_is_refused(self):
        with self.refused("descriptor 3", "no listening TCP socket", name="udp") as manager:
            manager.hold(listening(kind=socket.SOCK_DGRAM, listens=False))
        os.remove(manager.path)
        with self.refused("descriptor 3", "no listening TCP socket", name="file") as manager:
            manager.hold(open(__file__, "rb"))
        os.remove(manager.path)
        with self.refused("descriptor 3", "no listening TCP socket", name="unix") as manager:
            local = socket.socket(socket.AF_UNIX)
            local.bind(os.path.join(self.directory, "local"))
            local.listen()
            manager.hold(local)

    def test_sockets_of_two_addresses_are_refused(self):
        with self.refused("descriptor 4", "listens on tcp://127.0.0.1:", "and not on") as manager:
            manager.hold(listening(), listening())

    def test_more_sockets_than_lanes_can_be_are_refused(self):
        with self.refused("257 sockets", "at most 256") as manager:
            first = listening()
            manager.hold(first)
            manager.fds *= 257

    def test_an_address_beyond_loopback_is_refused_as_in_the_configuration(self):
        with self.refused("tcp://0.0.0.0:", "without encryption", status=2) as manager:
            manager.hold(listening("0.0.0.0"))

    def test_systemd_itself_can_hand_a_socket_over(self):
        if shutil.which("systemd-socket-activate") is None:
            self.skipTest("there is no systemd-socket-activate")
        with listening(listens=False) as reserved:
            port = reserved.getsockname()[1]
        broker = self.broker()
        broker.launch(["systemd-socket-activate", "-E", "TSAN_OPTIONS", "-l", f"127.0.0.1:{port}"])
        broker.wait_for_line("Listening on")
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as first:
            line = broker.wait_for_line(r"stockd: ready on (tcp://\S+)$")
            self.assertTrue(first.recv(1))
        broker.endpoint = line.group(1)
        self.assertEqual(broker.port, port)
        self.assertEqual(self.client(broker).buy([TISSUES, 1])["status"], "ok")
        self.assertEqual(broker.terminate(), 0, broker.lines)


if __name__ == "__main__":
    unittest.main()
