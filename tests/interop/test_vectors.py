"""The worked session of PROTOCOL.md and the vectors of refused requests, on a real broker."""

import time
import unittest

import msgpack

import vectors
from broker import Case, PATIENCE_S
from stock_client import Client, Link


class Vectors(Case):
    def test_the_worked_session_is_what_a_broker_really_says(self):
        broker = self.broker(inventory=None, users=None).start()
        link = Link(broker.endpoint)
        self.addCleanup(link.close)
        tokens, history = {}, None  # tokens of the document: those of this broker
        request = None
        for vector in vectors.read("session.txt"):
            members = msgpack.unpackb(vector.data)
            if vector.kind == "request":
                self.assertEqual(msgpack.packb(members), vector.data)
                if "token" in members:
                    members["token"] = tokens[members["token"]]
                request = msgpack.packb(members)
                reply = msgpack.unpackb(link.exchange(request))
                continue
            reply = self.skip_busy(link, request, reply, members["status"])
            history = history or reply["history"]
            self.assertEqual(reply["history"], history)
            if "token" in members:
                tokens[members["token"]] = reply["token"]
            self.assertEqual(self.comparable(reply), self.comparable(members), vector.name)

    def comparable(self, reply):
        """A reply's members in their order, with the types alone of those that are made up."""
        made_up = ("history", "token", "retry_ms", "version", "uptime_ms", "journal_bytes", "syncs_us")
        members = [(key, type(value) if key in made_up else value) for key, value in reply.items()
                   if key != "stats"]
        if "stats" in reply:
            members += self.comparable(self.without_busy(reply["stats"]))
        return members

    def without_busy(self, stats):
        """The figures without the repetitions of the login, whose number is a matter of chance."""
        busy = sum(row[2] for row in stats["requests"] if row[1] == "busy")
        count, total, most, buckets = stats["turns"]
        return {**stats, "turns": [count - busy, total - busy, most, [buckets[0], buckets[1] - busy]],
                "requests": [row for row in stats["requests"] if row[1] != "busy"]}

    def skip_busy(self, link, request, reply, status):
        """Repeats a request while the broker is busy, unless that is the reply to be shown."""
        deadline = time.monotonic() + PATIENCE_S
        while reply["status"] == "busy" != status and time.monotonic() < deadline:
            # tidy: sleep: as long as the broker asked for
            time.sleep(reply["retry_ms"] / 1000)
            reply = msgpack.unpackb(link.exchange(request))
        return reply

    def test_every_bad_request_gets_the_status_that_its_vector_says(self):
        broker = self.broker().start()
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        client.login("north", "apple")
        before = client.ping()["position"]
        for vector in vectors.read("refused.txt"):
            if vector.status == "closed":
                continue  # see test_hostile.py
            with self.subTest(vector.name):
                reply = client.ask(vector.data)
                self.assertEqual(reply["status"], vector.status)
                self.assertTrue(reply["message"].isprintable())
                self.assertNotIn("order", reply)
        self.assertEqual(client.ping()["position"], before)


if __name__ == "__main__":
    unittest.main()
