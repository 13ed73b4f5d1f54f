"""Peers that mean no good, or send nonsense, while others keep being served.

usage: test_hostile.py [SEED]
"""

import random
import socket
import struct
import sys
import threading
import unittest

import zmq
from zmq.utils.monitor import recv_monitor_message

import vectors
import zmtp
from broker import Case, PASSWORDS, PATIENCE_S, wait_until
from stock_client import Client, Link, PatientLink, pack, unpack

TISSUES = 36000291452
SEED = random.SystemRandom().getrandbits(32)


def patient(endpoint):
    """A client with such a link."""
    client = Client(endpoint)
    client.link = PatientLink(endpoint)
    return client


class Bystander(threading.Thread):
    """A client that buys and looks at the stock all the time."""

    def __init__(self, endpoint):
        super().__init__()
        self.client = patient(endpoint)
        assert self.client.login("north", PASSWORDS["north"])["status"] == "ok"
        self.ending = threading.Event()
        self.served = 0
        self.failure = None
        self.start()

    def run(self):
        try:
            while not self.ending.is_set():
                reply = self.client.buy([TISSUES, 1])
                assert reply["status"] in ("ok", "insufficient_stock"), reply
                assert self.client.view(TISSUES)["status"] == "ok"
                self.served += 1
        except Exception as failure:  # told by whoever ends it
            self.failure = failure
        self.client.close()

    def end(self):
        """Ends it; it must have been served all along."""
        self.ending.set()
        self.join()
        if self.failure is not None:
            raise self.failure


class Hostile(Case):
    def setUp(self):
        super().setUp()
        self.served = self.broker(lanes=4).start()
        self.bystander = Bystander(self.served.endpoint)
        self.addCleanup(self.bystander.end)
        self.link = Link(self.served.endpoint)
        self.addCleanup(self.link.close)

    def tearDown(self):
        """Whatever was done, the bystander is still served, and so are new clients."""
        before = self.bystander.served
        wait_until(lambda: self.bystander.served > before + 2 or self.bystander.failure,
                   "the bystander to be served")
        client = patient(self.served.endpoint)
        self.assertEqual(client.login("south", PASSWORDS["south"])["status"], "ok")
        self.assertEqual(client.view(TISSUES)["status"], "ok")
        client.close()
        self.assertIsNone(self.served.process.poll())

    def raw(self, receive_buffer=None):
        """A TCP connection without ZeroMQ."""
        connection = zmtp.connect(self.served.port, receive_buffer)
        self.addCleanup(connection.close)
        return connection

    def test_every_bad_request_is_answered(self):
        for vector in vectors.read("refused.txt"):
            if vector.status != "closed":
                with self.subTest(vector.name):
                    reply = unpack(self.link.exchange(vector.data))
                    self.assertEqual(reply["status"], vector.status)

    def test_a_frame_that_is_too_large_closes_the_connection(self):
        for vector in vectors.read("refused.txt"):
            if vector.status != "closed":
                continue
            with self.subTest(vector.name), zmq.Context.instance().socket(zmq.REQ) as peer:
                peer.linger = 0
                peer.reconnect_ivl = -1
                monitor = peer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
                peer.connect(self.served.endpoint)
                peer.send(vector.data)
                self.assertTrue(monitor.poll(PATIENCE_S * 1000), "the connection stays open")
                self.assertEqual(recv_monitor_message(monitor)["event"], zmq.EVENT_DISCONNECTED)
                self.assertFalse(peer.poll(0), "there is a reply")
                peer.disable_monitor()
                monitor.close()

    def test_several_frames_are_refused(self):
        for frames in ([pack("ping"), b""], [b"", b""], [pack("ping"), pack("ping")], [b"x"] * 200,
                       [b"x" * 8000] * 2):
            reply = self.link.exchange(frames)
            self.assertIn(b"bad_request", reply)
            self.assertIn(b"a request is one frame", reply)

    def send_until_closed(self, data):
        """Shakes hands and sends the same again and again until the broker ends the connection.

        What libzmq still has of a connection that is gone is held against the next one of its
        descriptor, which is not ended before it has brought a kilobyte: one burst may not be enough.
        """
        connection = zmtp.shake_hands(self.raw())
        with self.assertRaises(ConnectionError):
            while True:
                connection.sendall(data)

    def test_very_many_frames_close_the_connection(self):
        self.assertIn(b"bad_request", self.link.exchange([b"x"] * 256))
        for count in (257, 1000, 5000):
            self.send_until_closed(zmtp.frame(b"", zmtp.MORE) + zmtp.frame(b"x", zmtp.MORE) * (count - 1)
                                   + zmtp.frame(b"x"))

    def test_a_message_without_an_end_closes_the_connection(self):
        self.send_until_closed(zmtp.frame(b"", zmtp.MORE) * 100)

    def test_whoever_does_not_wait_for_replies_loses_the_connection(self):
        self.send_until_closed(zmtp.request(pack("ping")))
        self.send_until_closed(zmtp.request(pack("ping")) * 1000)

    def test_heartbeats_among_requests_ahead_do_no_harm(self):
        """Where libzmq 4.3.4 bounds the requests that wait, a peer that resets aborts the process."""
        both = zmtp.request(pack("ping")) + zmtp.frame(b"\4PING" + bytes(2), zmtp.COMMAND)
        for _ in range(30):
            self.send_until_closed(both * 150)
            connection = zmtp.shake_hands(self.raw())
            connection.sendall(both * 150)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def test_a_few_requests_ahead_are_answered(self):
        connection = zmtp.shake_hands(self.raw())
        for _ in range(50):
            connection.sendall(zmtp.request(pack("ping")) * 2)
            data = b""
            while data.count(b"\xa6status") < 2:
                more = connection.recv(65536)
                self.assertTrue(more, "the connection is closed")
                data += more

    def test_other_protocols_cost_nobody_a_reply(self):
        """To libzmq, what does not begin as ZMTP 3 does is ZMTP 1, and its rest messages without an
        envelope. Its REP socket (4.3.4) takes the reply after such a one for the end of it, if the peer
        is gone: each lane would owe somebody a reply from then on."""
        chance = random.Random(SEED)
        browser = b"GET /inventory HTTP/1.1\r\nHost: stock\r\nAccept: */*\r\nCookie: " + b"c" * 300
        for data in [browser, bytes(chance.randrange(255) for _ in range(300)),
                     b"\x01\0" + b"\x02\0x" * 100,  # ZMTP 1
                     zmtp.GREETING[:10] + b"\1\3\0\0" + b"\0\1x" * 100] * 50:  # ZMTP 2
            connection = self.raw()
            try:
                connection.sendall(data)
                connection.recv(10)
            except ConnectionError:
                pass
            connection.close()
        for _ in range(50):
            link = Link(self.served.endpoint)
            self.assertEqual(unpack(link.exchange(pack("ping")))["status"], "ok")
            link.close()

    def test_the_largest_order_fits(self):
        """With every number as wide as msgpack has them."""
        client = Client(self.served.endpoint)
        self.addCleanup(client.close)
        client.login("south", PASSWORDS["south"])
        line = (b"\xdd\0\0\0\2" + b"\xcf" + (999_999_999_993).to_bytes(8, "big")
                + b"\xcf" + (1_000_000_000).to_bytes(8, "big"))
        rest = client.pack("buy", order=1)
        request = (bytes([rest[0] + 1]) + rest[1:] + b"\xa5lines" + b"\xdd"
                   + (1000).to_bytes(4, "big") + line * 1000)
        for _ in range(20):
            self.assertEqual(unpack(self.link.exchange(request))["status"], "unknown_item")

    def test_random_bytes_are_answered(self):
        chance = random.Random(SEED)
        for _ in range(300):
            data = chance.randbytes(chance.choice((1, 2, 7, 40, 300, 5000)))
            self.assertRegex(self.link.exchange(data), b"bad_request|too_large", data.hex())

    def test_requests_with_a_changed_byte_are_answered(self):
        chance = random.Random(SEED)
        good = [vector.data for vector in vectors.read("session.txt") if vector.kind == "request"]
        for _ in range(500):
            data = bytearray(chance.choice(good))
            data[chance.randrange(len(data))] = chance.randrange(256)
            self.assertIn(b"\xa6status", self.link.exchange(bytes(data)), data.hex())

    def test_bytes_that_are_not_zeromq_are_dropped(self):
        chance = random.Random(SEED)
        for data in (chance.randbytes(4000), b"GET / HTTP/1.1\r\nHost: stock\r\n\r\n", b"\xff" * 100):
            connection = self.raw()
            connection.sendall(data)
            try:
                while connection.recv(4096):
                    pass
            except ConnectionResetError:
                pass

    def test_connections_that_say_nothing_cost_nobody_anything(self):
        silent = [self.raw() for _ in range(50)]
        before = self.bystander.served
        wait_until(lambda: self.bystander.served > before + 50 or self.bystander.failure,
                   "the bystander to be served")
        # They are closed in time, with no handshake.
        for connection in silent:
            while connection.recv(4096):
                pass

    def test_peers_that_leave_without_their_reply_do_no_harm(self):
        for number in range(100):
            with zmq.Context.instance().socket(zmq.REQ) as peer:
                peer.linger = 0 if number % 2 else 100
                peer.connect(self.served.endpoint)
                peer.send(pack("ping"))

    def test_a_peer_that_never_reads_loses_the_connection(self):
        """One that asks, and asks again when the reply has come or none comes any more."""
        client = Client(self.served.endpoint)
        self.addCleanup(client.close)
        client.login("south", PASSWORDS["south"])
        request = zmtp.request(client.pack("buy", order=1, lines=[[2**40, 2**40]] * 1000))
        connection = zmtp.shake_hands(self.raw(receive_buffer=1))
        asked = 0
        with self.assertRaises(ConnectionError):
            while True:
                before = zmtp.unread(connection)
                connection.sendall(request)
                asked += 1
                before_served = self.bystander.served
                wait_until(lambda: zmtp.unread(connection) > before or self.bystander.failure
                           or self.bystander.served > before_served + 20, "the reply, or others'")
        self.assertGreater(asked, 5)

    def test_a_token_of_another_user_opens_nothing(self):
        south = Client(self.served.endpoint)
        self.addCleanup(south.close)
        south.login("south", PASSWORDS["south"])
        south.session = self.bystander.client.session
        self.assertEqual(south.logout()["status"], "not_logged_in")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1), 0)
    print(f"seed {SEED}", file=sys.stderr)
    unittest.main()
