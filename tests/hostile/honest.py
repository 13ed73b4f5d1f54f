"""Honest clients that buy all the time, and how long each purchase took them."""

import os
import statistics
import threading
import time

import zmq

from broker import PASSWORDS, PATIENCE_S
from stock_client import Client, PatientLink, unpack

TISSUES = 36000291452
REPEAT_S = 1  # the same bytes are sent again after such a silence
PAUSE_S = 0.02  # between the purchases of one client: processors are to have time left


class Buyer:
    """One client; buys a unit at a time."""

    def __init__(self, endpoint):
        self.client = Client(endpoint)
        assert self.client.login("north", PASSWORDS["north"])["status"] == "ok"
        self.bought = 0
        self.begin = None  # when the order in flight was first sent; None: there is none
        self.next = 0  # when the next one is to be sent
        self.sent = None  # when its bytes were last sent

    def socket(self):
        return self.client.link.socket

    def open(self):
        """A new socket, as after silence."""
        self.client.link.close()
        socket = zmq.Context.instance().socket(zmq.REQ)
        socket.linger = 0
        socket.connect(self.client.link.endpoint)
        self.client.link.socket = socket

    def send(self, now):
        if self.begin is None:
            self.begin = now
            self.request = self.client.pack("buy", order=self.client.order_next,
                                            lines=[[TISSUES, 1]])
        else:
            self.open()
        self.sent = now
        self.socket().send(self.request)

    def receive(self):
        """Takes the reply; returns how long it took to come."""
        reply = unpack(self.socket().recv())
        now = time.monotonic()
        if reply["status"] != "ok" or reply["order"] != self.client.order_next:
            raise AssertionError(f"order {self.client.order_next}: {reply}")
        took = now - self.begin
        self.client.order_next += 1
        self.bought += 1
        self.begin = None
        self.next = now + PAUSE_S
        return took


class Crowd:
    """Several buyers in turn. They are spread over the lanes, as anybody's connections are."""

    def __init__(self, endpoint, count):
        self.endpoint = endpoint
        self.buyers = [Buyer(endpoint) for _ in range(count)]
        self.repeats = 0
        self.before = self.buyers[0].client.units(TISSUES)

    def buy_for(self, seconds):
        """Buys for a while, then waits for what is in flight; returns the seconds each one took."""
        until = time.monotonic() + seconds
        took = []
        while True:
            now = time.monotonic()
            for buyer in self.buyers:
                if buyer.begin is None and now < until and now >= buyer.next:
                    buyer.send(now)
                elif buyer.begin is not None and now - buyer.sent > REPEAT_S:
                    self.repeats += 1
                    buyer.send(now)
                    if now - buyer.begin > PATIENCE_S:
                        raise AssertionError(f"no reply to a purchase within {PATIENCE_S} s")
            waiting = {buyer.socket(): buyer for buyer in self.buyers if buyer.begin is not None}
            if not waiting and now >= until:
                return took
            poller = zmq.Poller()
            for socket in waiting:
                poller.register(socket, zmq.POLLIN)
            took += [waiting[socket].receive() for socket, _ in poller.poll(2)]

    def check(self):
        """Every unit that left the stock was bought by somebody here, and the other way round."""
        bought = sum(buyer.bought for buyer in self.buyers)
        after = self.buyers[0].client.units(TISSUES)
        if self.before - after != bought:
            raise AssertionError(f"{self.before} units before, {after} now, {bought} bought")
        return bought

    def close(self):
        for buyer in self.buyers:
            buyer.client.close()


class Newcomer(threading.Thread):
    """Somebody who connects and logs in with the right password."""

    def __init__(self, endpoint):
        super().__init__()
        self.client = Client(endpoint)
        self.client.link = PatientLink(endpoint, zmq.Context())
        self.took = None
        self.failure = None
        self.start()

    def run(self):
        begin = time.monotonic()
        try:
            reply = self.client.login("south", PASSWORDS["south"], os.urandom(16))
            assert reply["status"] == "ok", reply
            self.took = time.monotonic() - begin
        except Exception as failure:  # told by whoever waits for it
            self.failure = failure
        self.client.close()

    def wait(self):
        self.join()
        if self.failure is not None:
            raise self.failure
        return self.took


def percentile(values, share):
    """In milliseconds, of values in seconds."""
    if len(values) < 2:
        return values[0] * 1000
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1] * 1000
