"""The figures of a broker, against what was asked of it."""

import threading
import unittest

from broker import PASSWORDS, USERS_AND_SLOW, Case
from stock_client import Client, pack

NUMBER_MAX = 2**53 - 1
TISSUES = 36000291452
NUMBERS = ("uptime_ms", "sessions", "logins_queued", "logins_crowded", "journal", "journal_bytes",
           "snapshot")
TALLIES = ("turns", "records", "syncs_us")


class Stats(Case):
    def client(self, broker, user="north"):
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login(user, PASSWORDS[user])["status"], "ok")
        return client

    def figures(self, client):
        """The figures, each of which is what PROTOCOL.md says; requests as {(op, status): count}."""
        reply = client.stats()
        self.assertEqual(reply["status"], "ok")
        stats = reply["stats"]
        self.assertEqual(set(stats), {"version", "requests", *NUMBERS, *TALLIES})
        for key in NUMBERS:
            self.assert_integer(stats[key])
        for key in TALLIES:
            count, total, most, buckets = stats[key]
            for value in (count, total, most, *buckets):
                self.assert_integer(value)
            self.assertEqual(sum(buckets), count)
            self.assertTrue(len(buckets) <= 32 and (not buckets or buckets[-1] > 0), buckets)
            self.assertEqual(len(buckets), most.bit_length() + 1 if count else 0)
            self.assertLessEqual(most, total)
            least = sum(n * (1 << b - 1) for b, n in enumerate(buckets) if b)
            self.assertTrue(least <= total <= 2 * least, stats[key])
        requests = {(op, status): count for op, status, count in stats["requests"]}
        self.assertEqual(len(requests), len(stats["requests"]))
        self.assertTrue(all(count > 0 for count in requests.values()))
        self.assertEqual(stats["turns"][1], sum(requests.values()))
        return stats, requests

    def assert_integer(self, value):
        self.assertIs(type(value), int)
        self.assertTrue(0 <= value <= NUMBER_MAX)

    def test_each_answer_is_counted_by_operation_and_status(self):
        broker = self.broker().start()
        client = self.client(broker)
        wrong = Client(broker.endpoint)
        self.addCleanup(wrong.close)
        wrong.login("north", "pear")
        wrong.ask(pack("buy", session=77, token=bytes(16), order=1, lines=[[TISSUES, 1]]))
        for _ in range(7):
            client.buy([TISSUES, 1])
        for _ in range(3):
            client.buy([TISSUES, 100000])
        client.repeat_order()
        client.buy([1, 1])
        client.restock([TISSUES, 1])
        client.void(client.order_next)
        client.view()
        client.ping()
        for data in (b"", b"\xc1", pack("dance")):
            client.ask(data)
        _, requests = self.figures(client)
        busy = requests.pop(("login", "busy"))
        self.assertGreaterEqual(busy, 2)
        self.assertEqual(requests, {
            ("ping", "ok"): 1, ("login", "ok"): 1, ("login", "bad_credentials"): 1,
            ("view", "ok"): 1, ("buy", "ok"): 7, ("buy", "insufficient_stock"): 4,
            ("buy", "unknown_item"): 1, ("buy", "not_logged_in"): 1, ("restock", "forbidden"): 1,
            ("void", "order_voided"): 1, ("none", "bad_request"): 3})
        self.assertEqual(self.figures(client)[1]["stats", "ok"], 1)

    def test_records_and_syncs_are_counted_as_often_as_the_position_moves(self):
        broker = self.broker().start()
        client = self.client(broker)
        before, _ = self.figures(client)
        for _ in range(10):
            client.buy([TISSUES, 1])
        client.view()
        client.repeat_order()
        after, _ = self.figures(client)
        self.assertEqual(after["records"][0] - before["records"][0], 10)
        self.assertEqual(after["records"][:3], [client.position, client.position, 1])
        self.assertEqual(after["syncs_us"][0], client.position)
        self.assertGreater(after["syncs_us"][2], 0)
        self.assertGreater(after["journal_bytes"], before["journal_bytes"])
        self.assertEqual((after["journal"], after["snapshot"]), (1, 1))
        self.assertGreaterEqual(after["uptime_ms"], before["uptime_ms"])

    def test_purchases_that_come_together_share_records(self):
        broker = self.broker(inventory=f"{TISSUES:012d} 100000 Tissues\n", lanes=16).start()
        clients = [self.client(broker) for _ in range(8)]

        def buy(client):
            for _ in range(200):
                client.buy([TISSUES, 1])
        threads = [threading.Thread(target=buy, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stats, requests = self.figures(clients[0])
        self.assertEqual(requests["buy", "ok"], 1600)
        self.assertEqual(stats["records"][1], 1600 + len(clients))
        self.assertEqual(stats["records"][0], clients[0].ping()["position"])

    def test_sessions_and_generations_are_those_of_the_data_and_counts_begin_anew(self):
        broker = self.broker().start()
        clients = [self.client(broker) for _ in range(3)]
        clients[0].logout()
        self.assertEqual(self.figures(clients[1])[0]["sessions"], 2)
        for number, crash in enumerate((False, True)):
            broker.restart(crash)
            clients[1].link.close()
            clients[1].link.endpoint = broker.endpoint
            stats, requests = self.figures(clients[1])
            self.assertEqual(stats["sessions"], 2)
            self.assertEqual(requests, {})
            self.assertEqual(stats["syncs_us"], [0, 0, 0, []])
            self.assertEqual(stats["journal"], stats["snapshot"])
            self.assertGreater(stats["journal"], 1 + number)

    def test_logins_that_wait_are_seen(self):
        broker = self.broker(users=USERS_AND_SLOW).start()
        client = self.client(broker)
        slow = Client(broker.endpoint)
        self.addCleanup(slow.close)
        requests = [pack("login", nonce=bytes([i] * 16), user="slow", password="patience")
                    for i in range(80)]
        replies = [slow.ask(request) for request in requests]
        self.assertEqual({reply["status"] for reply in replies}, {"busy"})
        crowded = sum("too many logins" in reply["message"] for reply in replies)
        stats, _ = self.figures(client)
        self.assertGreater(crowded, 0)
        self.assertEqual(stats["logins_crowded"], crowded)
        self.assertTrue(1 <= stats["logins_queued"] <= 64, stats)

    def test_who_is_not_logged_in_is_told_nothing(self):
        broker = self.broker().start()
        client = self.client(broker)
        stranger = Client(broker.endpoint)
        self.addCleanup(stranger.close)
        for members, status in [({}, "bad_request"),
                                ({"session": 1, "token": bytes(16)}, "not_logged_in"),
                                ({"session": 9, "token": client.token}, "not_logged_in")]:
            reply = stranger.ask(pack("stats", **members))
            self.assertEqual(reply["status"], status)
            self.assertNotIn("stats", reply)
        client.logout()
        reply = client.stats()
        self.assertEqual(reply["status"], "session_ended")
        self.assertNotIn("stats", reply)


if __name__ == "__main__":
    unittest.main()
