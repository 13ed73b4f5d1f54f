"""What was answered is there after a crash.

usage: test_durable.py [SEED]
"""

import random
import sys
import unittest

import msgpack
import zmq

from broker import Case, PASSWORDS, PATIENCE_S
from stock_client import Client

WATER = 78742000015
SEED = random.SystemRandom().getrandbits(32)


class Durable(Case):
    def clients(self, broker, count):
        clients = []
        for _ in range(count):
            client = Client(broker.endpoint)
            self.addCleanup(client.close)
            self.assertEqual(client.login("depot", PASSWORDS["depot"])["status"], "ok")
            clients.append(client)
        return clients

    def test_every_unit_is_accounted_for_after_crashes_in_the_middle(self):
        chance = random.Random(SEED)
        broker = self.broker(inventory=f"{WATER:012d} 1000000 Water\n").start()
        clients = self.clients(broker, 16)
        bought = 0
        for client in clients:
            client.request = client.pack("buy", order=1, lines=[[WATER, 3]])
        for _ in range(8):
            bought += self.buy_until_crash(broker, clients, chance.randrange(1, 150))
            broker.start()
            for client in clients:
                client.link.close()
                client.link.endpoint = broker.endpoint
        for client in clients:  # each settles its pending order with the same bytes
            reply = client.ask(client.request, known=0)
            self.assertEqual((reply["status"], reply["order"]), ("ok", client.order_next))
            bought += reply["units"]
        self.assertEqual(clients[0].units(WATER), 1000000 - bought)

    def buy_until_crash(self, broker, clients, replies):
        """All clients send what they have pending, and buy; the broker is killed meanwhile."""
        poller, sockets, bought = zmq.Poller(), {}, 0
        for client in clients:
            client.ask(client.pack("view"), known=0)  # opens the socket
            client.link.socket.send(client.request)
            sockets[client.link.socket] = client
            poller.register(client.link.socket, zmq.POLLIN)
        while replies > 0:
            ready = poller.poll(PATIENCE_S * 1000)
            self.assertTrue(ready)
            for socket, _ in ready:
                client, reply = sockets[socket], msgpack.unpackb(socket.recv())
                self.assertEqual((reply["status"], reply["order"]), ("ok", client.order_next))
                bought += reply["units"]
                replies -= 1
                client.order_next += 1
                client.request = client.pack("buy", order=client.order_next, lines=[[WATER, 3]])
                socket.send(client.request)
        broker.kill()
        return bought


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SEED = int(sys.argv.pop(1), 0)
    print(f"seed {SEED}", file=sys.stderr)
    unittest.main()
