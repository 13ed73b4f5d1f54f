#!/usr/bin/env python3
"""Kills brokers and clients at random while they trade, and counts all units afterwards.

usage: kill.py --programs DIR --users FILE [--kills N] [--seconds S] [--seed N]

kill -9 of the broker and of clients, and connections cut between them, until there were N of each
or S seconds are over. Then everybody settles what is pending, and

    initial + restocked = on hand at the broker + in the local inventories

has to hold for each item, and each restock must have been made exactly once.
"""

import argparse
import os
import random
import shutil
import tempfile
import threading
import time

from harness import Broker, Client, Failure, Proxy, chance_of, upc_of

GOODS = [upc_of(100 + n) for n in range(6)]  # what is bought and restocked
UNITS_INITIAL = 2000
BUYERS = (("north", "apple"), ("south", "banana"), ("north", "apple"))
SUPPLIERS = 2
CUT_BYTES_MAX = 1500


class Worker(threading.Thread):
    """Gives a client one command after the other, and kills some of them."""

    def __init__(self, client, seed, test):
        super().__init__(daemon=True)
        self.client = client
        self.chance = random.Random(seed)
        self.test = test
        self.kills = 0
        self.commands = 0
        self.failure = None

    def run(self):
        try:
            while not self.test.is_over():
                self.act()
        except Exception as failure:  # the main thread tells it
            self.failure = failure

    def act(self):
        """Runs one command, or kills it."""
        process = self.client.begin(*self.choose())
        self.commands += 1
        if self.chance.random() < 0.5:
            # tidy: sleep: a kill comes at a random moment
            time.sleep(self.chance.random() ** 2 * 0.06)
            if process.poll() is None:
                process.kill()
                self.kills += 1
        status, answer = self.client.end(process)
        if status in (2, 3) or (status == 5 and "cannot tell" in self.client.message):
            raise Failure(f"stockctl ended with {status}: {self.client.message}")
        if status == 6:
            self.client.run("login", self.client.user)
        self.note(answer)

    def choose(self):
        """Returns the next command."""
        raise NotImplementedError

    def note(self, answer):
        """Looks at an answer."""


class Buyer(Worker):
    """Buys, and logs out and in at times."""

    def choose(self):
        draw = self.chance.random()
        if draw < 0.03:
            return ["logout"]
        if draw < 0.06:
            return ["resolve", "--void"]
        if draw < 0.12:
            return ["inventory"]
        words = ["buy"]
        for upc in self.chance.sample(GOODS, self.chance.randint(1, 3)):
            words += [upc, str(self.chance.randint(1, 4))]
        return words


class Supplier(Worker):
    """Restocks in one session for ever, always one unit of its own item as well: so the number of
    its last order says how much of that there has to be."""

    def __init__(self, client, seed, test, own_upc):
        super().__init__(client, seed, test)
        self.own_upc = own_upc

    def choose(self):
        return ["restock", self.chance.choice(GOODS), "2", self.own_upc, "1"]


class Test:
    """The whole of it."""

    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.chance = chance_of(arguments.seed)
        self.own = [upc_of(200 + n) for n in range(SUPPLIERS)]
        self.items = {upc: UNITS_INITIAL for upc in GOODS} | {upc: 0 for upc in self.own}
        self.broker = Broker(arguments.programs, folder, arguments.users, self.items)
        self.proxy = Proxy(self.broker, self.chance)
        self.end_time = time.monotonic() + arguments.seconds
        self.workers = []
        for n, (user, password) in enumerate(BUYERS):
            self.workers.append(Buyer(self.client(folder, n, user, password), self.seed(), self))
        for n, upc in enumerate(self.own):
            client = self.client(folder, f"s{n}", "depot", "cherry")
            self.workers.append(Supplier(client, self.seed(), self, upc))

    def seed(self):
        """Returns a seed for a worker."""
        return self.chance.getrandbits(64)

    def client(self, folder, name, user, password):
        """Makes a client that goes through the proxy."""
        client = Client(self.arguments.programs, folder, name, user, password)
        client.endpoint = self.proxy.endpoint
        return client

    def kills(self):
        """Returns how many clients were killed."""
        return sum(worker.kills for worker in self.workers)

    def is_over(self):
        """Was there enough of everything, or is the time over?"""
        wanted = self.arguments.kills
        enough = min(self.broker.kills, self.kills(), self.proxy.cuts) >= wanted
        return enough or time.monotonic() > self.end_time

    def trade(self):
        """Lets everybody work and kills the broker now and then."""
        for worker in self.workers:
            worker.start()
        while not self.is_over() and all(worker.failure is None for worker in self.workers):
            # tidy: sleep: a kill comes at a random moment
            time.sleep(self.chance.random() * 0.15)
            self.broker.kill()
            self.broker.start()
        self.end_time = 0
        for worker in self.workers:
            worker.join()
            if worker.failure is not None:
                raise worker.failure

    def settle(self):
        """Lets everybody settle, without trouble, and returns who holds what."""
        held = {upc: 0 for upc in self.items}
        self.proxy.bytes_max = 0
        for worker in self.workers:
            worker.client.timeout_ms = 5000
            worker.client.resolve()
            for upc, units in worker.client.local().items():
                held[upc] += units
        return held

    def count(self, held):
        """Counts all units."""
        levels = None
        restocked = 0
        for worker in self.workers:
            if isinstance(worker, Supplier):
                answer = worker.client.must("restock", GOODS[0], "2", worker.own_upc, "1")
                levels = worker.client.levels()
                restocked += 2 * answer["order"]
                if levels[worker.own_upc] != answer["order"]:
                    raise Failure(f"{answer['order']} restocks, made {levels[worker.own_upc]} times")
        initial = UNITS_INITIAL * len(GOODS)
        on_hand = sum(levels[upc] for upc in GOODS)
        bought = sum(held[upc] for upc in GOODS)
        print(f"initial {initial} + restocked {restocked} = {initial + restocked}")
        print(f"on hand {on_hand} + bought {bought} = {on_hand + bought}")
        if initial + restocked != on_hand + bought:
            raise Failure("units are not conserved")

    def run(self):
        """Runs the test."""
        self.broker.start()
        for worker in self.workers:
            worker.client.must("login", worker.client.user)
        self.proxy.bytes_max = CUT_BYTES_MAX
        self.trade()
        self.count(self.settle())
        self.broker.stop()
        commands = sum(worker.commands for worker in self.workers)
        print(f"kill -9 of the broker {self.broker.kills}, of clients {self.kills()}")
        print(f"connections cut {self.proxy.cuts}, commands {commands}")
        if 0 in (self.broker.kills, self.kills(), self.proxy.cuts):
            raise Failure("nothing was tested")
        print("0 lost, 0 doubled, units conserved")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--users", required=True)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="stockbus-kill-")
    test = Test(arguments, folder)
    try:
        test.run()
    except BaseException:
        if os.path.exists(test.broker.log):
            with open(test.broker.log, encoding="utf-8") as log:
                print("".join(log.readlines()[-20:]))
        print(f"left as it is: {folder}")
        raise
    finally:
        test.broker.close()
        test.proxy.close()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
