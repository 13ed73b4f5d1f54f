"""Many clients at once."""

import os
import unittest

import msgpack
import zmq

from broker import Case, PASSWORDS, PATIENCE_S, USERS_AND_SLOW, wait_until
from stock_client import Client, pack

TISSUES = 36000291452
WATER = 78742000015


class Crowd(Case):
    def client(self, broker, user="north"):
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        if user is not None:
            self.assertEqual(client.login(user, PASSWORDS[user])["status"], "ok")
        return client

    def play(self, clients, next_request):
        """Lets all clients talk at once, each sending its next request when it has a reply.

        `next_request(client, reply)` gives the bytes to send, or None when the client is done; the
        first time, the reply is None.
        """
        poller = zmq.Poller()
        by_socket = {client.link.socket: client for client in clients}
        for socket, client in by_socket.items():
            socket.send(next_request(client, None))
            poller.register(socket, zmq.POLLIN)
        while by_socket:
            ready = poller.poll(PATIENCE_S * 1000)
            self.assertTrue(ready, f"{len(by_socket)} clients wait in vain")
            for socket, _ in ready:
                client = by_socket[socket]
                request = next_request(client, msgpack.unpackb(socket.recv()))
                if request is None:
                    poller.unregister(socket)
                    del by_socket[socket]
                else:
                    socket.send(request)

    def sell_out(self, lanes, units):
        """64 clients buy an item of 1,000 units, each until it is told that there are not enough."""
        broker = self.broker(inventory=f"{TISSUES:012d} 1000 Tissues\n", lanes=lanes).start()
        clients = [self.client(broker, ("north", "south")[i % 2]) for i in range(64)]
        sold, refused = [], []

        def next_request(client, reply):
            if reply is not None and reply["status"] == "insufficient_stock":
                self.assertLess(reply["available"], units)
                refused.append(reply)
                return None
            if reply is not None:
                self.assertEqual((reply["status"], reply["units"]), ("ok", units))
                sold.append(reply)
                client.order_next += 1
            return client.pack("buy", order=client.order_next, lines=[[TISSUES, units]])

        self.play(clients, next_request)
        self.assertEqual(len(sold), 1000 // units)
        self.assertEqual(len(refused), 64)
        self.assertEqual(clients[0].units(TISSUES), 1000 % units)
        broker.restart(crash=True)
        self.assertEqual(self.client(broker).units(TISSUES), 1000 % units)

    def test_64_clients_buy_exactly_what_is_there(self):
        self.sell_out(lanes=16, units=1)

    def test_64_clients_on_one_lane_buy_exactly_what_is_there(self):
        self.sell_out(lanes=1, units=7)

    def test_every_request_on_a_lane_that_is_never_idle_is_answered(self):
        # Two clients with requests that take long enough to decide that one is always waiting.
        broker = self.broker(lanes=1).start()
        clients = [self.client(broker, "depot") for _ in range(2)]

        def next_request(client, reply):
            if reply is not None:
                self.assertEqual((reply["status"], reply["order"]), ("ok", client.order_next))
                client.order_next += 1
            if client.order_next > 1000:
                return None
            return client.pack("restock", order=client.order_next, lines=[[TISSUES, 1]] * 100)

        self.play(clients, next_request)
        self.assertEqual(self.client(broker).units(TISSUES), 100 + 2 * 1000 * 100)

    def buy_while_a_password_is_checked(self, lanes):
        broker = self.broker(lanes=lanes, users=USERS_AND_SLOW).start()
        north = self.client(broker)
        other = self.client(broker, None)
        login = pack("login", nonce=os.urandom(16), user="slow", password=PASSWORDS["slow"])
        self.assertEqual(other.ask(login)["status"], "busy")
        for _ in range(10):
            self.assertEqual(north.buy([WATER, 1])["status"], "ok")
        # It was being checked all the time: it still is.
        self.assertEqual(other.ask(login)["status"], "busy")

    def test_purchases_are_answered_while_a_password_is_checked(self):
        self.buy_while_a_password_is_checked(16)

    def test_purchases_are_answered_on_the_same_lane_while_a_password_is_checked(self):
        self.buy_while_a_password_is_checked(1)

    def test_a_flood_of_wrong_logins_is_bounded_and_leaves_purchases_alone(self):
        broker = self.broker(lanes=2, users=USERS_AND_SLOW).start()
        north = self.client(broker)
        stranger = self.client(broker, None)
        for number in range(100):
            reply = stranger.ask(
                pack("login", nonce=os.urandom(16), user="slow", password=f"guess {number}"))
            self.assertEqual(reply["status"], "busy")
            self.assertEqual(north.buy([WATER, 1])["status"], "ok")
        self.assertIn("too many logins", reply["message"])

    def test_a_crowd_of_logins_gets_in(self):
        broker = self.broker(users=None).start()
        clients = [self.client(broker, None) for _ in range(8)]
        waiting = {client: pack("login", nonce=os.urandom(16), user="south", password="banana")
                   for client in clients}
        sessions = set()

        def all_in():
            for client, request in list(waiting.items()):
                reply = client.ask(request)
                if reply["status"] == "ok":
                    sessions.add(reply["session"])
                    del waiting[client]
                else:
                    self.assertEqual(reply["status"], "busy")
                    self.assertGreaterEqual(reply["retry_ms"], 1)
            return not waiting

        wait_until(all_in, "the logins")
        self.assertEqual(sessions, set(range(1, 9)))

    def test_sessions_are_bounded_in_all_and_for_each_user(self):
        broker = self.broker(sessions=3, sessions_per_user=2).start()
        first = self.client(broker)
        self.client(broker)
        late = self.client(broker, None)
        request = pack("login", nonce=os.urandom(16), user="north", password="apple")
        reply = wait_until(lambda: next(
            (reply for reply in [late.ask(request)] if "sessions" in reply["message"]), None),
            "too many sessions of one user")
        self.assertEqual(reply["status"], "busy")
        self.client(broker, "south")
        request = pack("login", nonce=os.urandom(16), user="depot", password="cherry")
        wait_until(lambda: "sessions" in late.ask(request)["message"], "too many sessions")
        self.assertEqual(first.logout()["status"], "ok")
        wait_until(lambda: late.ask(request)["status"] == "ok", "room for one more")


if __name__ == "__main__":
    unittest.main()
