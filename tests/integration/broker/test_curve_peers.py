"""Encryption: clients that do not wait for replies and those that do, and what can be read on the way."""

import os
import subprocess
import unittest

import msgpack
import zmq

from broker import PASSWORDS, PATIENCE_S, die_with_parent
from keys import STOCKCTL, Recorder
from stock_client import Client, pack, unpack
from test_curve import Encrypted

TISSUES = 36000291452
PINGS = 3000
LARGE = 200  # requests
FLOOD_MAX = 1_000_000  # messages


class Peers(Encrypted):
    def setUp(self):
        super().setUp()
        self.served = self.serve()

    def connect_as(self, kind):
        """A socket, and one that tells when its connection is at an end."""
        peer = zmq.Context.instance().socket(kind)
        peer.linger = 0
        peer.sndtimeo = PATIENCE_S * 1000  # who has lost the connection has nobody to send to
        peer.reconnect_ivl = -1
        peer.curve_serverkey, peer.curve_publickey, peer.curve_secretkey = self.shop
        ended = peer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        peer.connect(self.served.endpoint)
        self.addCleanup(ended.close)
        self.addCleanup(peer.close)
        self.addCleanup(peer.disable_monitor)
        return peer, ended

    def test_who_does_not_wait_loses_the_connection(self):
        peer, ended = self.connect_as(zmq.DEALER)
        poller = zmq.Poller()
        poller.register(peer, zmq.POLLOUT)
        poller.register(ended, zmq.POLLIN)
        for _ in range(FLOOD_MAX):
            events = dict(poller.poll(PATIENCE_S * 1000))
            self.assertTrue(events, "the broker neither takes more nor ends it")
            if ended in events:
                break
            try:
                peer.send_multipart([b"", pack("ping")], zmq.DONTWAIT)
            except zmq.Again:  # it has just been ended, or is full again
                pass
        self.assertIn(ended, events)
        self.assertEqual(self.connect(self.served).ping()["status"], "ok")

    def test_who_waits_keeps_it_whatever_is_sent(self):
        peer, ended = self.connect_as(zmq.REQ)
        for request, count, status in ((pack("ping"), PINGS, "ok"),
                                       (b"\xc1" * 60000, LARGE, "bad_request")):
            for _ in range(count):
                peer.send(request)
                self.assertTrue(peer.poll(PATIENCE_S * 1000))
                self.assertEqual(unpack(peer.recv())["status"], status)
        self.assertFalse(ended.poll(0))


class Capture(Encrypted):
    def purchase(self, served, keys=None, options=()):
        """What can be read on the way of a login and a purchase, and the secrets of it."""
        recorder = Recorder(served.endpoint)
        self.addCleanup(recorder.close)
        client = Client(recorder.endpoint, keys=keys)
        self.assertEqual(client.login("north", PASSWORDS["north"])["status"], "ok")
        self.assertEqual(client.view(TISSUES)["status"], "ok")
        self.assertEqual(client.buy([TISSUES, 3])["status"], "ok")
        client.close()
        state = os.path.join(self.directory, f"state-{served.port}")
        for arguments in (["login", "north"], ["buy", "036000291452", "3"]):
            told = subprocess.run(
                [STOCKCTL, "--endpoint", recorder.endpoint, "--state", state, *options, *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=PATIENCE_S,
                env={**os.environ, "STOCK_PASSWORD": "apple"}, preexec_fn=die_with_parent)
            self.assertEqual(told.returncode, 0, told)
        streams = recorder.streams()
        self.assertEqual(len(streams), 6)  # three connections
        secrets = {"user": b"north", "password": b"apple", "token": client.token,
                   "UPC": msgpack.packb(TISSUES), "name": b"Facial tissues", "operation": b"login"}
        return streams, secrets

    def test_nothing_of_a_purchase_can_be_read_on_the_way(self):
        plain = self.broker("plain", lanes=4).start()
        streams, secrets = self.purchase(plain)
        for name, secret in secrets.items():
            self.assertTrue(any(secret in stream for stream in streams), f"{name} is looked for")

        served = self.serve()
        options = ["--certificate", self.keys.path("shop"), "--broker-key", self.keys.certificate]
        streams, secrets = self.purchase(served, self.shop, options)
        secrets.update({"UPC as text": b"36000291452", "public key": self.shop[1],
                        "public key as bytes": zmq.utils.z85.decode(self.shop[1])})
        for name, secret in secrets.items():
            for stream in streams:
                self.assertGreater(len(stream), 400)
                self.assertNotIn(secret, stream, name)


if __name__ == "__main__":
    unittest.main()
