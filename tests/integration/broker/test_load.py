"""Clients that are quicker than the broker: every reply comes, is the right one, and no unit is lost.

They are those of the load generator, which speaks the protocol on plain sockets and checks every reply. A
lane with the next request always there already is where libzmq may drop a reply; it takes many to see it.
"""

import json
import os
import subprocess
import unittest

from broker import BIN, PATIENCE_S, SOURCE, Case, die_with_parent, upc_of

LOAD = os.path.join(BIN, "..", "tests", "load")
FILES = os.path.join(SOURCE, "tests", "bench", "bus")
ITEMS = 24


class Load(Case):
    def start(self, lanes):
        with open(os.path.join(FILES, "users.conf"), encoding="utf-8") as file:
            users = file.read()
        inventory = "".join(f"{upc_of(10_000_000_000 + i):012d} 1000000000 Item {i}\n"
                            for i in range(ITEMS))
        return self.broker(inventory=inventory, users=users, lanes=lanes).start()

    def load(self, broker, **options):
        command = [LOAD, "--peer", "bus", "--port", str(broker.port), "--items", str(ITEMS),
                   "--login", os.path.join(FILES, "login")]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8", timeout=PATIENCE_S, preexec_fn=die_with_parent)
        self.assertEqual(done.returncode, 0, f"{options}: {done.stderr}")
        self.assertGreater(json.loads(done.stdout)["replies"], 0)

    def test_every_view_is_answered(self):
        broker = self.start(lanes=2)
        for connections in (1, 3, 16):
            self.load(broker, connections=connections, views=100, seconds=1)
        self.assertEqual(broker.terminate(), 0)

    def test_every_order_is_answered_and_counted(self):
        broker = self.start(lanes=4)
        for connections, views, lines in ((1, 0, 1), (16, 20, 1), (32, 0, 10)):
            self.load(broker, connections=connections, views=views, lines=lines, seconds=1)
        self.assertEqual(broker.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
