"""Clients with keys: those that do not wait for replies, and those that do."""

import os
import unittest

import zmq

from broker import Case, PATIENCE_S
from keys import Keys
from stock_client import Client, pack, unpack

PINGS = 3000
LARGE = 200  # requests
FLOOD_MAX = 1_000_000  # messages


class Peers(Case):
    def setUp(self):
        super().setUp()
        keys = Keys(os.path.join(self.directory, "keys"))
        self.shop = keys.make("shop")
        keys.allow("shop")
        self.served = self.broker(lanes=4, curve=keys.settings).start()

    def connect(self, kind):
        """A socket, and one that tells when its connection is at an end."""
        peer = zmq.Context.instance().socket(kind)
        peer.linger = 0
        peer.reconnect_ivl = -1
        peer.curve_serverkey, peer.curve_publickey, peer.curve_secretkey = self.shop
        ended = peer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        peer.connect(self.served.endpoint)
        self.addCleanup(ended.close)
        self.addCleanup(peer.close)
        self.addCleanup(peer.disable_monitor)
        return peer, ended

    def test_who_does_not_wait_loses_the_connection(self):
        peer, ended = self.connect(zmq.DEALER)
        poller = zmq.Poller()
        poller.register(peer, zmq.POLLOUT)
        poller.register(ended, zmq.POLLIN)
        for _ in range(FLOOD_MAX):
            events = dict(poller.poll(PATIENCE_S * 1000))
            self.assertTrue(events, "the broker neither takes more nor ends it")
            if ended in events:
                break
            peer.send_multipart([b"", pack("ping")])
        self.assertIn(ended, events)
        client = Client(self.served.endpoint, keys=self.shop)
        self.addCleanup(client.close)
        self.assertEqual(client.ping()["status"], "ok")

    def test_who_waits_keeps_it_whatever_is_sent(self):
        peer, ended = self.connect(zmq.REQ)
        for request, count, status in ((pack("ping"), PINGS, "ok"),
                                       (b"\xc1" * 60000, LARGE, "bad_request")):
            for _ in range(count):
                peer.send(request)
                self.assertTrue(peer.poll(PATIENCE_S * 1000))
                self.assertEqual(unpack(peer.recv())["status"], status)
        self.assertFalse(ended.poll(0))


if __name__ == "__main__":
    unittest.main()
