"""Orders, by a client that knows nothing but PROTOCOL.md, on the broker that conf/ describes."""

import unittest

from broker import Case, PASSWORDS
from stock_client import Client

TISSUES = 36000291452
LEADS = 81585000012
WATER = 78742000015
NOTHING = 999999999999


class Orders(Case):
    def setUp(self):
        super().setUp()
        self.served = self.broker(inventory=None).start()
        self.north = self.client("north")

    def client(self, user):
        client = Client(self.served.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(client.login(user, PASSWORDS[user])["status"], "ok")
        return client

    def restart(self, crash):
        """Starts the broker again, and lets the clients know where."""
        self.served.restart(crash)
        self.north.link.close()
        self.north.link.endpoint = self.served.endpoint

    def expect(self, reply, status, **members):
        self.assertEqual({"status": reply["status"], **{key: reply.get(key) for key in members}},
                         {"status": status, **members})

    def test_a_purchase_is_acknowledged_and_taken_from_the_stock(self):
        self.expect(self.north.buy([TISSUES, 3]), "ok", order=1, units=3)
        self.assertEqual(self.north.units(TISSUES), 97)

    def test_lines_of_the_same_upc_add_up(self):
        self.expect(self.north.buy([LEADS, 20], [LEADS, 10]), "insufficient_stock",
                    order=1, upc=LEADS, available=25)
        self.expect(self.north.buy([LEADS, 10], [TISSUES, 1], [LEADS, 15]), "ok", units=26)
        self.assertEqual(self.north.units(LEADS), 0)

    def test_all_lines_are_filled_or_none(self):
        self.expect(self.north.buy([TISSUES, 1], [LEADS, 26]), "insufficient_stock", upc=LEADS)
        self.expect(self.north.buy([TISSUES, 1], [NOTHING, 1]), "unknown_item", upc=NOTHING)
        self.assertEqual(self.north.units(TISSUES), 100)
        self.assertEqual(self.north.units(LEADS), 25)

    def test_a_thousand_lines_are_one_order(self):
        self.expect(self.north.buy(*[[WATER, 1]] * 400, *[[TISSUES, 1]] * 50), "ok", units=450)
        depot = self.client("depot")
        self.expect(depot.restock(*[[WATER, 1]] * 1000), "ok", units=1000)
        self.assertEqual(self.north.units(WATER), 1000)

    def test_a_refusal_is_remembered_after_a_restock(self):
        self.expect(self.north.buy([LEADS, 30]), "insufficient_stock", available=25)
        refusal = self.north.reply
        self.expect(self.client("depot").restock([LEADS, 100]), "ok", units=100)
        self.assertEqual(self.north.repeat_order(), refusal)
        self.expect(self.north.buy([LEADS, 30]), "ok", order=2)

    def check_repetition(self, crash):
        for lines, status in (([TISSUES, 2], "ok"), ([LEADS, 26], "insufficient_stock")):
            self.expect(self.north.buy(lines), status)
            reply = self.north.reply
            self.assertEqual(self.north.repeat_order(), reply)
            self.restart(crash)
            self.assertEqual(self.north.repeat_order(), reply)
            self.assertEqual(self.north.units(TISSUES), 98)

    def test_a_repetition_is_answered_byte_for_byte_after_sigterm(self):
        self.check_repetition(crash=False)

    def test_a_repetition_is_answered_byte_for_byte_after_kill_9(self):
        self.check_repetition(crash=True)

    def test_a_repetition_in_another_encoding_is_one(self):
        self.expect(self.north.buy([TISSUES, 2]), "ok")
        reply = self.north.reply
        wide = self.north.request.replace(
            b"\x91\x92\xcf" + TISSUES.to_bytes(8, "big") + b"\x02",
            b"\xdd\0\0\0\1\xdc\0\2\xd3" + TISSUES.to_bytes(8, "big") + b"\xd1\0\2")
        self.assertNotEqual(wide, self.north.request)
        self.north.send_order(wide)
        self.assertEqual(self.north.reply, reply)

    def test_a_number_is_not_used_for_another_body(self):
        self.expect(self.north.buy([TISSUES, 2], [LEADS, 1]), "ok")
        for operation, lines in (("buy", [[TISSUES, 3], [LEADS, 1]]), ("buy", [[TISSUES, 2]]),
                                 ("buy", [[LEADS, 1], [TISSUES, 2]]),
                                 ("restock", [[TISSUES, 2], [LEADS, 1]])):
            self.expect(self.north.order(operation, lines, 1), "order_reused", order=None)
        self.assertEqual(self.north.units(TISSUES), 98)

    def test_numbers_are_taken_in_turn(self):
        self.expect(self.north.order("buy", [[TISSUES, 1]], 2), "order_gap", order=None)
        self.expect(self.north.void(2), "order_gap", order=None)
        self.expect(self.north.buy([TISSUES, 1]), "ok")
        self.expect(self.north.buy([TISSUES, 1]), "ok")
        self.expect(self.north.order("buy", [[TISSUES, 1]], 1), "order_stale", order=None)
        self.expect(self.north.void(1), "order_stale", order=None)
        self.expect(self.north.order("buy", [[TISSUES, 1]], 9007199254740991), "order_gap")
        self.assertEqual(self.north.units(TISSUES), 98)

    def test_void_of_an_order_that_was_decided_gives_its_reply(self):
        for lines in ([TISSUES, 2], [NOTHING, 2]):
            self.north.buy(lines)
            reply = self.north.reply
            self.north.void(self.north.order_next - 1)
            self.assertEqual(self.north.reply, reply)

    def test_an_order_that_was_given_up_is_never_made(self):
        self.expect(self.north.void(1), "order_voided", order=1)
        reply = self.north.reply
        self.expect(self.north.order("buy", [[TISSUES, 1]], 1), "order_voided", order=1)
        self.assertEqual(self.north.reply, reply)
        self.restart(crash=True)
        self.assertEqual(self.north.repeat_order(), reply)
        self.north.void(1)
        self.assertEqual(self.north.reply, reply)
        self.assertEqual(self.north.units(TISSUES), 100)
        self.expect(self.north.buy([TISSUES, 1]), "ok", order=2)

    def test_restocking_is_for_those_who_may(self):
        self.expect(self.north.restock([TISSUES, 5]), "forbidden", order=1)
        reply = self.north.reply
        self.assertEqual(self.north.repeat_order(), reply)
        self.assertEqual(self.north.units(TISSUES), 100)
        self.expect(self.client("depot").restock([TISSUES, 5]), "ok", order=1, units=5)
        self.assertEqual(self.north.units(TISSUES), 105)

    def test_a_level_never_grows_beyond_what_json_carries(self):
        served = self.broker("full", inventory=f"{TISSUES:012d} 9007199254740990 Tissues\n").start()
        depot = Client(served.endpoint)
        self.addCleanup(depot.close)
        depot.login("depot", PASSWORDS["depot"])
        self.expect(depot.restock([TISSUES, 1], [TISSUES, 1]), "too_large", order=1)
        self.expect(depot.restock([TISSUES, 1]), "ok", order=2)
        self.expect(depot.restock([TISSUES, 1]), "too_large", order=3)
        self.assertEqual(depot.units(TISSUES), 9007199254740991)

    def test_an_order_is_executed_behind_the_position_that_was_known(self):
        south = self.client("south")
        for _ in range(3):
            known = self.north.ping()["position"]
            executed = self.north.buy([TISSUES, 1])["position"]
            self.assertGreater(executed, known)
            self.assertGreater(south.buy([TISSUES, 1])["position"], executed)
            self.north.repeat_order()
            self.assertGreater(self.north.ping()["position"], executed)


if __name__ == "__main__":
    unittest.main()
