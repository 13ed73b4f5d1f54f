#!/usr/bin/env python3
"""Shows, one step after the other, what becomes of an order when both sides are killed over it, and
what clients say when yesterday's copy of the broker's data is put back.

usage: demonstration.py --programs DIR --users FILE
"""

import argparse
import os
import shutil
import tempfile

from harness import Broker, Client, Failure, Proxy, chance_of, upc_of, wait_until

UPC = upc_of(3600029145)
UNITS = 100


def say(text):
    """Tells what was done, or what is so."""
    print(text, flush=True)


def expect(what, found, wanted):
    """Holds what is so against what has to be."""
    say(f"  {what}: {found}")
    if found != wanted:
        raise Failure(f"{what} is {found}, and should be {wanted}")


class Demonstration:
    """A broker, a client, and a proxy between them."""

    def __init__(self, arguments, folder):
        self.folder = folder
        self.broker = Broker(arguments.programs, folder, arguments.users, {UPC: UNITS})
        self.proxy = Proxy(self.broker, chance_of(1))
        self.client = Client(arguments.programs, folder, "north", "north", "apple")
        self.client.endpoint = self.proxy.endpoint
        self.client.timeout_ms = 5000

    def expect_units(self, on_hand, held):
        """Holds the level at the broker and the local inventory against what they have to be."""
        expect("on hand at the broker", self.client.levels()[UPC], on_hand)
        expect("in the local inventory", self.client.local().get(UPC, 0), held)

    def kill_both_over_an_order(self):
        """The request leaves, its reply does not arrive, and both are killed."""
        self.broker.start()
        self.client.must("login", "north")
        self.expect_units(UNITS, 0)

        say("the client buys 3; the reply is kept from it; kill -9 of the client")
        self.proxy.swallows = True
        process = self.client.begin("buy", UPC, "3")
        wait_until("the reply", self.proxy.swallowed.is_set)
        process.kill()
        self.client.end(process)
        say("kill -9 of the broker; both start again")
        self.broker.kill()
        self.proxy.swallows = False
        self.broker.start()
        status, answer = self.client.run("local")
        expect("the client starts with", status, 0)
        expect("pending order", answer["pending"]["order"], 1)
        answer = self.client.must("resolve")
        expect("resolve says of order 1", (answer["order"], answer["status"]), (1, "ok"))
        self.expect_units(UNITS - 3, 3)
        expect("once more, resolve finds", self.client.must("resolve")["order"], None)
        say("the broker is stopped and starts again")
        self.broker.stop()
        self.broker.start()
        self.expect_units(UNITS - 3, 3)

    def kill_the_client_before_the_broker_hears(self):
        """The order is on the client's disk, and the broker was never told."""
        say("the broker is away; the client buys 2; kill -9 of the client")
        self.broker.kill()
        process = self.client.begin("buy", UPC, "2")
        wait_until("the order on disk", self._is_pending)
        process.kill()
        self.client.end(process)
        self.broker.start()
        expect("resolve says", self.client.must("resolve")["status"], "ok")
        self.expect_units(UNITS - 5, 5)

    def _is_pending(self):
        """Stands the order in the newest journal of the client?"""
        for name in os.listdir(self.client.state):
            if name.startswith("journal-"):
                with open(os.path.join(self.client.state, name), "rb") as file:
                    if b"pending" in file.read().split(b"done")[-1]:
                        return True
        return False

    def put_yesterday_back(self):
        """The data directory is copied, the day goes on, and the copy is put back."""
        say("the broker is stopped, its data directory copied, and it goes on")
        yesterday = os.path.join(self.folder, "yesterday")
        self.broker.stop()
        shutil.copytree(self.broker.data, yesterday)
        self.broker.start()
        self.client.must("buy", UPC, "1")
        self.expect_units(UNITS - 6, 6)
        say("yesterday's copy is put back")
        self.broker.stop()
        shutil.rmtree(self.broker.data)
        shutil.copytree(yesterday, self.broker.data)
        self.broker.start()
        for words in (["inventory"], ["buy", UPC, "1"], ["resolve"], ["logout"]):
            status, answer = self.client.run(*words)
            say(f"  {' '.join(words)}: {answer.get('message')}")
            expect("exit status", (status, answer.get("error")), (3, "older_data"))
        expect("the local inventory still has", self.local_units(), 6)

        say("a new data directory is put in its place")
        self.broker.stop()
        shutil.rmtree(self.broker.data)
        self.broker.start()
        status, answer = self.client.run("inventory")
        say(f"  inventory: {answer.get('message')}")
        expect("exit status", (status, answer.get("error")), (3, "other_history"))
        self.broker.stop()

    def local_units(self):
        """Returns what the local inventory has, an order pending or not."""
        return self.client.must("local")["items"][0]["units"]

    def run(self):
        """Shows everything."""
        self.kill_both_over_an_order()
        self.kill_the_client_before_the_broker_hears()
        self.put_yesterday_back()
        say("everything is as it has to be")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--users", required=True)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="stockbus-demonstration-")
    demonstration = Demonstration(arguments, folder)
    try:
        demonstration.run()
    finally:
        demonstration.broker.close()
        demonstration.proxy.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
