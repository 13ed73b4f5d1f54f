"""Whose files are relied on: what others may read or write is refused, at a start and at SIGHUP."""

import os
import unittest

from broker import CONF, PASSWORDS, USERS, run_stockd
from keys import is_refused
from test_curve import Encrypted

HASH = USERS.split()[2] + "\n"


class Permissions(Encrypted):
    def test_a_secret_key_that_others_may_use_is_refused(self):
        for mode in (0o640, 0o604, 0o620, 0o644, 0o666, 0o660):
            os.chmod(self.keys.certificate + "_secret", mode)
            self.check_and_start(f"{self.keys.certificate}_secret", f"mode {mode:04o}",
                                 f"chmod 600 {self.keys.certificate}_secret")
        os.chmod(self.keys.certificate + "_secret", 0o400)
        served = self.serve()
        os.chmod(self.keys.path("shop") + "_secret", 0o640)
        told = self.stockctl(served, "ping")
        self.assertEqual(told.returncode, 2, told)
        self.assertIn(f"chmod 600 {self.keys.path('shop')}_secret", told.stderr)

    def test_users_that_others_may_use_are_refused(self):
        served = self.broker("open")
        users = os.path.join(served.directory, "users.conf")
        for mode in (0o640, 0o604, 0o620, 0o602, 0o644):
            os.chmod(users, mode)
            for arguments in (["--check-config"], []):
                told = run_stockd("--config", served.config, *arguments)
                self.assertEqual(told.returncode, 2, told)
                self.assertRegex(told.stderr, rf"{users}: .*mode {mode:04o}.*chmod 600 {users}")
        os.chmod(users, 0o400)
        served.start()
        shipped = self.broker("shipped", users=None)  # of demonstration users alone
        shipped.write_config({"bind": "tcp://127.0.0.1:*", "data": shipped.data,
                              "users": shipped.file("demo.conf", "north buy,demo " + HASH),
                              "inventory": os.path.join(CONF, "inventory.conf")})
        os.chmod(os.path.join(shipped.directory, "demo.conf"), 0o666)
        shipped.start()
        self.assertNotIn("warning", "\n".join(shipped.lines))

    def test_a_folder_of_keys_that_others_may_write_to_is_refused(self):
        for mode in (0o770, 0o720, 0o702, 0o777, 0o1777):
            os.chmod(self.keys.clients, mode)
            self.check_and_start(f"{self.keys.clients}: ", f"mode {mode:04o}",
                                 f"chmod go-w {self.keys.clients}")
        os.chmod(self.keys.clients, 0o755)
        self.assertFalse(is_refused(self.serve().endpoint, self.shop))

    def test_a_folder_that_others_may_write_to_is_not_read_again(self):
        served = self.serve()
        client = self.log_in(served)
        self.keys.make("another")
        self.keys.allow("another")
        os.chmod(self.keys.clients, 0o777)
        told = self.reload(served, "the keys stay as they were")
        self.assertIn(f"{self.keys.clients}: others than its owner may put files there", told)
        self.assertTrue(is_refused(served.endpoint, self.keys.of("another")))
        self.assertEqual(client.ping()["status"], "ok")
        os.chmod(self.keys.clients, 0o755)
        self.assertIn("those that may connect: 2", self.reload(served))

    def test_users_that_others_may_use_are_not_read_again(self):
        served = self.serve()
        users = os.path.join(served.directory, "users.conf")
        with open(users, "w", encoding="utf-8") as file:
            file.write("another buy " + HASH)
        os.chmod(users, 0o666)
        told = self.reload(served, "the accounts stay as they were")
        self.assertIn(f"{users}: holds a secret", told)
        self.log_in(served)
        os.chmod(users, 0o600)
        self.reload(served, "read the accounts again")
        client = self.connect(served)
        self.assertEqual(client.login("north", PASSWORDS["north"])["status"], "bad_credentials")

    def test_a_public_key_that_others_may_write_is_refused(self):
        key = os.path.join(self.keys.clients, "shop.cert")
        served = self.serve()
        os.chmod(key, 0o664)
        self.check_and_start(f"{key}: others than its owner may write to it", "mode 0664",
                             f"chmod go-w {key}")
        self.assertIn("it lets nobody in", self.reload(served, "shop.cert: others than its owner"))
        served.wait_for_line("those that may connect: 0")
        self.assertTrue(is_refused(served.endpoint, self.shop))
        os.chmod(key, 0o644)
        self.assertIn("those that may connect: 1", self.reload(served))
        os.chmod(self.keys.certificate, 0o646)
        told = self.stockctl(served, "ping")
        self.assertEqual(told.returncode, 2, told)
        self.assertIn(f"chmod go-w {self.keys.certificate}", told.stderr)
        os.chmod(self.keys.certificate, 0o644)
        self.assertEqual(self.stockctl(served, "ping").returncode, 0)

    def test_a_state_directory_whose_token_others_may_read_is_refused(self):
        served = self.serve()
        self.assertEqual(self.stockctl(served, "login", "north").returncode, 0)
        state = os.path.join(self.directory, "state")
        [journal] = [name for name in os.listdir(state) if name.startswith("journal")]
        path = os.path.join(state, journal)
        for mode in (0o640, 0o604, 0o620):
            os.chmod(path, mode)
            for arguments in (["local"], ["buy", "036000291452", "1"]):
                told = self.stockctl(served, *arguments)
                self.assertEqual(told.returncode, 3, told)
                self.assertRegex(told.stderr, rf"{path}: .*mode {mode:04o}.*chmod 600 {path}")
        os.chmod(path, 0o600)
        self.assertEqual(self.stockctl(served, "buy", "036000291452", "1").returncode, 0)


if __name__ == "__main__":
    unittest.main()
