"""Sessions and views, by a client that knows nothing but PROTOCOL.md."""

import os
import signal
import unittest

from broker import Case, PASSWORDS, USERS, upc_of, wait_until
from stock_client import Client, pack

TISSUES = 36000291452
WATER = 78742000015


class Sessions(Case):
    def serve(self, **options):
        return self.broker(**options).start()

    def client(self, broker, user=None):
        client = Client(broker.endpoint)
        self.addCleanup(client.close)
        if user is not None:
            self.assertEqual(client.login(user, PASSWORDS[user])["status"], "ok")
        return client

    def test_the_users_of_conf_log_in(self):
        broker = self.serve(users=None, inventory=None)
        for number, user in enumerate(("north", "south", "depot"), 1):
            self.assertEqual(self.client(broker, user).session, number)

    def test_a_wrong_password_and_an_unknown_user_are_told_alike(self):
        client = self.client(self.serve(users=None))
        wrong = client.login("north", "banana")
        unknown = client.login("nobody", "apple")
        self.assertEqual(wrong["status"], "bad_credentials")
        self.assertEqual(wrong, unknown)
        self.assertEqual(client.login("north", "apple")["status"], "ok")

    def test_a_login_that_is_repeated_opens_no_second_session(self):
        broker = self.serve()
        client, other = self.client(broker), self.client(broker)
        nonce = os.urandom(16)
        first = client.login("north", "apple", nonce)
        again = other.login("north", "apple", nonce)
        self.assertEqual([first[key] for key in ("session", "token")],
                         [again[key] for key in ("session", "token")])
        self.assertEqual(other.login("north", "apple")["session"], first["session"] + 1)
        self.assertEqual(other.login("north", "wrong", nonce)["status"], "bad_credentials")

    def test_a_login_that_comes_over_many_lanes_at_once_opens_one_session(self):
        broker = self.serve(lanes=16)
        clients = [self.client(broker) for _ in range(16)]
        for client in clients:
            client.ping()
        for turn in range(1, 6):
            nonce = os.urandom(16)
            request = pack("login", nonce=nonce, user="north", password="apple")
            self.assertEqual(clients[0].ask(request)["status"], "busy")
            # What is asked later is checked later: once this is known, that one has been checked.
            self.assertEqual(clients[1].login("north", "wrong")["status"], "bad_credentials")
            broker.signal(signal.SIGSTOP)  # so that all of them are there when it looks
            for client in clients:
                client.link.socket.send(request)
            broker.signal(signal.SIGCONT)
            for client in clients:
                client.link.socket.recv()
            sessions = {client.login("north", "apple", nonce)["session"] for client in clients}
            self.assertEqual(sessions, {turn})

    def test_sessions_of_one_user_number_their_orders_on_their_own(self):
        broker = self.serve()
        first, second = self.client(broker, "north"), self.client(broker, "north")
        self.assertEqual(first.buy([TISSUES, 1])["order"], 1)
        self.assertEqual(second.buy([TISSUES, 2])["order"], 1)
        self.assertEqual(first.logout()["status"], "ok")
        self.assertEqual(second.buy([TISSUES, 3])["order"], 2)
        self.assertEqual(second.units(TISSUES), 94)

    def test_a_session_that_has_ended_is_of_no_more_use(self):
        broker = self.serve()
        north = self.client(broker, "north")
        north.buy([TISSUES, 1])
        self.assertEqual(north.logout()["status"], "ok")
        for ask in (north.view, north.logout, north.repeat_order, lambda: north.void(1),
                    lambda: north.buy([TISSUES, 1])):
            ask()
            self.assertEqual(north.ask(north.pack("view"))["status"], "session_ended")
        broker.restart(crash=True)
        north.link.close()
        north.link.endpoint = broker.endpoint
        self.assertEqual(north.view()["status"], "session_ended")

    def test_a_token_opens_no_session_but_its_own(self):
        broker = self.serve()
        north, south = self.client(broker, "north"), self.client(broker, "south")
        stranger = self.client(broker)
        for session, token in ((north.session, south.token), (south.session, north.token),
                               (north.session, bytes(16)), (3, north.token)):
            stranger.session, stranger.token = session, token
            for ask in (stranger.view, lambda: stranger.buy([TISSUES, 1]), stranger.logout):
                self.assertEqual(ask()["status"], "not_logged_in")
        self.assertEqual(north.units(TISSUES), 100)

    def check_levels_and_logins(self, crash):
        broker = self.serve()
        north, south = self.client(broker, "north"), self.client(broker, "south")
        self.assertEqual(north.buy([TISSUES, 3])["status"], "ok")
        self.assertEqual(south.buy([TISSUES, 4], [WATER, 5])["status"], "ok")
        items = north.view_all()
        for _ in range(2):
            broker.restart(crash)
            for client in (north, south):
                client.link.close()
                client.link.endpoint = broker.endpoint
                self.assertEqual(client.view_all(), items)
        self.assertEqual(items[TISSUES][1], 93)
        self.assertEqual(north.buy([TISSUES, 1])["order"], 2)
        self.assertEqual(self.client(broker, "north").session, 3)

    def test_levels_and_logins_survive_sigterm(self):
        self.check_levels_and_logins(crash=False)

    def test_levels_and_logins_survive_kill_9(self):
        self.check_levels_and_logins(crash=True)

    def test_an_account_that_is_taken_away_shuts_its_sessions_out(self):
        broker = self.serve()
        north, south = self.client(broker, "north"), self.client(broker, "south")
        broker.file("users.conf", USERS.replace("north ", "nobody "))
        broker.signal(signal.SIGHUP)
        broker.wait_for_line("read the accounts again")
        self.assertEqual(north.view()["status"], "not_logged_in")
        self.assertEqual(south.view()["status"], "ok")
        self.assertEqual(north.login("north", "apple")["status"], "bad_credentials")
        broker.file("users.conf", USERS.replace("north  buy ", "north  nonsense "))
        broker.signal(signal.SIGHUP)
        broker.wait_for_line("users.conf: line 1: .*nonsense.*stay as they were")
        self.assertEqual(south.view()["status"], "ok")
        broker.file("users.conf", USERS)
        broker.signal(signal.SIGHUP)
        wait_until(lambda: north.view()["status"] == "ok", "the account to be back")

    def test_ping_needs_no_login(self):
        broker = self.serve()
        client = self.client(broker)
        self.assertEqual(client.ping()["position"], 0)
        self.client(broker, "north")
        self.assertEqual(client.ping()["position"], 1)

    def test_a_large_inventory_comes_in_pages(self):
        lines, expected = [], {}
        for number in range(5000):
            name = f"Item {number}" + " long" * (number % 39)
            expected[upc_of(number * 7)] = (name, number)
            lines.append(f"{upc_of(number * 7):012d} {number} {name}\n")
        broker = self.serve(inventory="".join(reversed(lines)))
        north = self.client(broker, "north")
        self.assertEqual(north.view_all(), expected)
        page = north.view_after(upc_of(4998 * 7))
        self.assertEqual(([item[2] for item in page["items"]], page["more"]), ([4999], False))
        page = north.view_after(999999999999)
        self.assertEqual((page["items"], page["more"]), ([], False))
        broker.restart(crash=True)
        north.link.close()
        north.link.endpoint = broker.endpoint
        self.assertEqual(north.view_all(), expected)

    def test_items_are_shown_by_upc_in_the_order_asked_for(self):
        north = self.client(self.serve(), "north")
        page = north.view(WATER, TISSUES, WATER)
        self.assertEqual([item[0] for item in page["items"]], [WATER, TISSUES, WATER])
        self.assertFalse(page["more"])
        reply = north.view(TISSUES, 5)
        self.assertEqual((reply["status"], reply["upc"]), ("unknown_item", 5))

    def test_items_that_do_not_fit_one_reply_are_too_large(self):
        upcs = [upc_of(number) for number in range(800)]
        inventory = "".join(f"{upc:012d} 1 {'x' * 200}\n" for upc in upcs)
        north = self.client(self.serve(inventory=inventory), "north")
        self.assertEqual(north.view(*upcs)["status"], "too_large")
        self.assertEqual(len(north.view(*upcs[:250])["items"]), 250)
        self.assertEqual(len(north.view_all()), 800)

    def test_a_session_number_is_never_given_out_twice(self):
        broker = self.serve()
        client = self.client(broker, "north")
        client.logout()
        broker.restart(crash=False)
        self.assertEqual(self.client(broker, "north").session, 2)

    def test_every_operation_wants_its_session(self):
        client = self.client(self.serve())
        for operation in ("view", "buy", "restock", "void", "logout"):
            reply = client.ask(pack(operation))
            self.assertEqual(reply["status"], "bad_request")
            self.assertIn("session", reply["message"])


if __name__ == "__main__":
    unittest.main()
