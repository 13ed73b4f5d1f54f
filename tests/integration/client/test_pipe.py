"""stock and stockctl where nobody looks on: in a pipe, as JSON, in scripts, in the shell."""

import json
import os
import shutil
import signal
import subprocess

from client_support import ENDPOINT, STOCK, STOCK_FSCK, STOCKCTL, Case, main

COLA = "049000006346"
ROW = {"upc": COLA, "name": "Cola, 330 ml can", "units": 1300}


class Pipe(Case):
    def test_tables_are_separated_by_tabs_and_nothing_else_is_in_them(self):
        self.log_in()
        for arguments in [[], ["--color=always"]]:
            done = self.stockctl(*arguments, "inventory")
            self.assertEqual(
                done.stdout,
                "021130000012\tMilk, 1 l\t210\n036000291452\tFacial tissues, 160 sheets\t100\n"
                "046700000018\t緑茶 green tea, 100 g\t30\n049000006346\tCola, 330 ml can\t1300\n"
                "076808501001\tSpaghetti, 500 g\t160\n098000000014\tCrème brûlée mix, 200 g\t0\n")
            self.assertEqual(done.stderr, "")

    def test_items_go_by_name(self):
        self.log_in("depot")
        self.assertEqual(self.stockctl("inventory", "COLA", "036000291452").stdout,
                         "036000291452\tFacial tissues, 160 sheets\t100\n"
                         "049000006346\tCola, 330 ml can\t1300\n")
        self.assertEqual(self.stockctl("restock", "creme BRULEE", 12).stdout,
                         "added 12 of 098000000014 Crème brûlée mix, 200 g (order 1)\n")
        self.assertEqual(self.stockctl("buy", "緑茶", 2, "tissues", 1).stdout,
                         "bought 2 of 046700000018 緑茶 green tea, 100 g (order 2)\n"
                         "bought 1 of 036000291452 Facial tissues, 160 sheets (order 2)\n")

    def test_slips_are_told_in_one_sentence_with_the_nearest_word(self):
        self.log_in()
        for arguments, status, message in [
                (["byu", "cola", "1"], 2, "'byu' is no command; did you mean 'buy'?"),
                (["xyzzy"], 2, "'xyzzy' is no command; 'help' lists them"),
                (["--jsn", "local"], 2, "--jsn is no option; did you mean --json?"),
                (["--tiemout=3", "local"], 2, "--tiemout=3 is no option; did you mean --timeout?"),
                (["--xyzzy"], 2, "--xyzzy is no option; 'stockctl --help' lists the options"),
                (["--json=1"], 2, "--json takes no value; 'stockctl --help' lists the options"),
                (["--user"], 2, "--user wants a value; 'stockctl --help' lists the options"),
                (["--color=blue", "local"], 2, "--color: 'blue' is none of auto, always, never"),
                (["buy", "cola"], 2, "buy: too few arguments; usage: buy ITEM UNITS [ITEM UNITS]..."),
                (["buy", "04900000634", "1"], 2,
                 "buy: '04900000634' is no UPC, which is twelve digits; "
                 "did you mean 049000006346, Cola, 330 ml can?"),
                (["buy", "36000291452", "1"], 2,
                 "buy: '36000291452' is no UPC, which is twelve digits; "
                 "did you mean 036000291452, Facial tissues, 160 sheets?"),
                (["inventory", "4711"], 2,
                 "inventory: '4711' is no UPC, which is twelve digits"),
                (["buy", "cola", "0"], 2, "buy: '0' is no number of units from 1 to 1000000000"),
                (["buy", "xyzzy", "1"], 1, "buy: there is no item called 'xyzzy'"),
                (["buy", "123456789012", "1"], 1, "there is no item 123456789012"),
                (["buy", "brulee", "1"], 1,
                 "0 units of 098000000014 are left, which is not enough"),
                (["restock", "cola", "1"], 1, "this user may not do that"),
                (["login", "north", "apple"], 2,
                 "login: word 2 is too many; usage: login [USER] [--password-file FILE]"),
                (["inventory", "--json"], 2,
                 "inventory: options stand before the command: stockctl --json inventory"),
                (["buy", "cola", "1", "--json"], 2,
                 "buy: options stand before the command: stockctl --json buy"),
                (["wait", "--timeout", "0"], 2,
                 "wait: --timeout has a number of milliseconds from 1 to 3600000")]:
            done = self.stockctl(*arguments, status=status)
            self.assertEqual(done.stderr, f"stockctl: {message}\n")
            self.assertEqual(done.stdout, "")

    def test_a_upc_with_a_wrong_digit_is_told_with_the_right_one(self):
        self.log_in()
        for slip in ["036000291453", "036000291425", "036000391452"]:
            for command in (["buy", slip, 1], ["inventory", slip]):
                done = self.stockctl(*command, status=1)
                self.assertEqual(done.stderr, f"stockctl: there is no item {slip}\nstockctl: did you "
                                 "mean 036000291452, Facial tissues, 160 sheets?\n")

    def test_commands_are_known_in_letters_of_any_size(self):
        self.log_in()
        self.assertIn("bought 1 of", self.stockctl("BUY", "Cola", 1).stdout)
        done = self.stockctl("run", "-", text="Buy COLA 1\nBYU cola 1\n", status=2)
        self.assertIn("bought 1 of", done.stdout)
        self.assertIn("'BYU' is no command; did you mean 'buy'?", done.stderr)

    def test_a_login_that_fails_says_who_was_logged_out_before_it(self):
        refused = "stockctl: wrong user name or password\n"
        self.assertEqual(self.stockctl("login", "south", status=6).stderr, refused)
        self.log_in()
        done = self.stockctl("login", "south", status=6)
        self.assertEqual(done.stderr, refused + "stockctl: north was logged out\n")
        self.assertEqual(self.stockctl("login", "south", status=6).stderr, refused)

    def test_a_name_that_nobody_can_have_logs_nobody_out(self):
        self.log_in()
        for name in ("", "n" * 33, "nor\x1bth", "nor\x7fth", b"nor\xffth"):
            done = self.stockctl("login", name, status=2)
            self.assertEqual(done.stderr, "stockctl: login: a user name has 1 to 32 bytes of printable text\n")
        self.assertEqual(self.stockctl("--user", "", "login", status=2).stderr,
                         "stockctl: --user: a user name has 1 to 32 bytes of printable text\n")
        self.assertEqual(self.json("local")["user"], "north")
        self.assertTrue(self.json("local")["logged_in"])

    def test_a_logout_without_an_answer_is_finished_by_the_next_command(self):
        self.log_in()
        self.served.signal(signal.SIGSTOP)
        done = self.stockctl("--quiet", "--timeout", 200, "logout", status=4)
        self.assertRegex(done.stderr, r"^stockctl: no answer from \S+ in 0\.\d seconds; the broker may "
                         "or may not have logged north out, and the next command sees to it\n$")
        self.served.signal(signal.SIGCONT)
        self.assertIn("log in", self.stockctl("inventory", status=6).stderr)

    def test_a_logout_behind_an_order_that_is_pending_is_not_begun(self):
        self.log_in()
        self.served.signal(signal.SIGSTOP)
        self.stockctl("--timeout", 200, "buy", COLA, 7, status=5)
        done = self.stockctl("--quiet", "--timeout", 200, "logout", status=4)
        self.assertIn("order 1 of session 1 is still pending and has to be settled first; nothing else "
                      "was begun\n", done.stderr)
        self.served.signal(signal.SIGCONT)
        self.assertIn("was made", self.stockctl("logout").stderr)

    def test_an_ambiguous_name_lists_what_it_may_be(self):
        self.log_in()
        done = self.stockctl("buy", "mi", 1, status=2)
        self.assertEqual(done.stderr, "stockctl: buy: 'mi' may be any of 2 items:\n"
                         "  021130000012  Milk, 1 l\n  098000000014  Crème brûlée mix, 200 g\n")

    def test_help_of_a_command_is_there_in_two_ways(self):
        self.assertEqual(self.stockctl("help", "wait").stdout, self.stockctl("wait", "--help").stdout)
        self.assertEqual(self.stockctl("help", "buy").stdout,
                         self.stockctl("buy", "cola", 1, "--help").stdout)

    def test_scripts_name_the_line_of_an_error_and_may_go_on(self):
        script = 'login north\nbuy cola 1\nbuy mlik 2\n# no command\nbuy "milk" 2\n'
        done = self.stockctl("run", "-", text=script, status=1)
        self.assertEqual(done.stderr,
                         "stockctl: standard input:3: buy: there is no item called 'mlik'\n")
        self.assertIn("bought 1 of 049000006346", done.stdout)
        self.assertNotIn("021130000012", done.stdout)
        done = self.stockctl("run", "--keep-going", "-", text=script, status=1)
        self.assertIn("bought 2 of 021130000012", done.stdout)

    def test_a_zero_byte_in_a_script_is_told_and_its_line_is_not_run(self):
        self.log_in()
        done = self.stockctl("run", "-", text="buy cola 1\nbuy milk 1\0 cola 2\nbuy milk 1\n", status=2)
        self.assertEqual(done.stderr, "stockctl: standard input:2: there is a zero byte in the line, of which nothing was run\n")
        self.assertEqual(self.json("local")["items"], [{**ROW, "units": 1}])
        done = self.run_program(STOCK, text="buy milk 1\0\nbuy cola 1\n")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(self.json("local")["items"], [{**ROW, "units": 2}])

    def test_what_was_typed_is_repeated_without_its_control_characters(self):
        self.log_in()
        typed = b"x\x1b[31m\x07\xff\xe2\x80\xaey"
        shown = r"x\x1b[31m\x07\xff\xe2\x80\xaey"
        path = os.path.join(self.home, "script\x1b[2J")
        with open(path, "wb") as file:
            file.write(typed)
        for program, arguments in [(STOCKCTL, [typed]), (STOCKCTL, ["help", typed]), (STOCKCTL, ["buy", typed, 1]),
                                   (STOCKCTL, ["buy", "cola", typed]), (STOCKCTL, ["buy", 1, 1, typed]),
                                   (STOCKCTL, ["resolve", typed]), (STOCKCTL, [b"--" + typed]),
                                   (STOCKCTL, [b"--user=" + typed[2:], b"--color=" + typed, "config"]),
                                   (STOCKCTL, [b"--config=" + typed, "config"]),
                                   (STOCKCTL, [b"--endpoint=" + typed, "ping"]),
                                   (STOCKCTL, [b"--completion", typed]), (STOCKCTL, ["run", typed]),
                                   (STOCKCTL, ["run", path]), (STOCK, [typed]), (STOCK_FSCK, [b"--" + typed])]:
            with self.subTest(arguments=arguments):
                done = self.run_program(program, *arguments)
                self.assertIn(done.returncode, (1, 2))
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertNotRegex(done.stderr.rstrip("\n"), "[\0-\x1f\x7f-\x9f\u202e]")
                if not any(b"--user" in word for word in arguments if isinstance(word, bytes)):
                    self.assertIn(shown, done.stderr)
        self.assertIn("script\\x1b[2J:1: 'x", self.stockctl("run", path, status=2).stderr)

    def test_a_long_word_is_repeated_in_part(self):
        self.log_in()
        for letter in ("x", "7", "茶"):
            word = letter * 1000
            count = 200 // len(letter.encode())
            for arguments in [[word], ["help", word], ["buy", word, 1], ["buy", "cola", word], ["inventory", word],
                              ["buy", 1, 1, word], ["resolve", word], ["--" + word], [f"--timeout={word}", "ping"],
                              [f"--endpoint={word}", "ping"], [f"--color={word}", "ping"], ["run", word]]:
                with self.subTest(arguments=arguments):
                    done = self.run_program(STOCKCTL, *arguments)
                    self.assertIn(done.returncode, (1, 2))
                    self.assertRegex(done.stderr, f"{letter}{{{count - 2},{count}}}…")
                    self.assertNotIn(letter * (count + 1), done.stderr)
        self.assertEqual(self.stockctl("x" * 3000, status=2).stderr,
                         f"stockctl: '{'x' * 200}…' is no command; 'help' lists them\n")

    def test_an_item_without_a_name_is_no_item(self):
        for command in (["buy", "", 1], ["inventory", ""], ["restock", "", 1]):
            self.assertEqual(self.stockctl(*command, status=2).stderr,
                             f"stockctl: {command[0]}: an item is called by its UPC or its name, not by ''\n")

    def test_a_script_that_cannot_be_read_is_told(self):
        self.assertEqual(self.stockctl("run", "/tmp", status=2).stderr, "stockctl: /tmp: is a directory\n")
        self.assertEqual(self.json("run", "/tmp", status=2)["error"], "usage")
        for command, message in [([STOCKCTL, "run", "-"], "stockctl: standard input: is a directory\n"),
                                 ([STOCK], "stock: standard input: is a directory\n")]:
            done = subprocess.run(["bash", "-c", '"$@" </tmp', "bash", *command], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, encoding="utf-8", env=self.environment, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", message))

    def test_stock_runs_commands_from_a_pipe(self):
        done = self.run_program(STOCK, text="login north\nbuy cola 101\nlocal\n")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout, "north is logged in\n"
                         "bought 101 of 049000006346 Cola, 330 ml can (order 1)\n"
                         "049000006346\tCola, 330 ml can\t101\n")


class Json(Case):
    def test_every_command_answers_with_one_object(self):
        self.assertEqual(self.json("wait", "--timeout", 60000)["endpoint"], ENDPOINT)
        self.assertEqual(self.json("ping")["position"], 0)
        self.assertEqual(self.json("local"), {
            "ok": True, "user": None, "logged_in": False, "items": [], "pending": None,
            "set_aside": []})
        self.assertEqual(self.json("login", "depot", password="cherry"),
                         {"ok": True, "user": "depot", "session": 1})
        self.assertEqual(self.json("inventory", "cola")["items"], [ROW])
        self.assertEqual(self.json("restock", "cola", 5)["lines"], [{"upc": COLA, "units": 5}])
        self.assertEqual(self.json("buy", "cola", 3)["lines"], [{"upc": COLA, "units": 3}])
        self.assertEqual(self.json("local")["items"], [{**ROW, "units": 3}])
        self.assertEqual(self.json("resolve")["order"], None)
        self.assertEqual(self.json("logout"), {"ok": True, "user": "depot"})

    def test_every_failure_is_an_object_as_well(self):
        self.assertEqual(self.json("inventory", status=6)["error"], "not_logged_in")
        self.assertEqual(self.json("login", "north", password="x", status=6)["error"],
                         "bad_credentials")
        self.log_in()
        self.assertEqual(self.json("byu", status=2)["error"], "usage")
        self.assertEqual(self.json("buy", "mi", 1, status=2)["items"], [
            {"upc": "021130000012", "name": "Milk, 1 l", "units": 210},
            {"upc": "098000000014", "name": "Crème brûlée mix, 200 g", "units": 0}])
        self.assertEqual(self.json("buy", "xyzzy", 1, status=1)["error"], "unknown_item")
        self.assertEqual(self.json("buy", "milk", 211, status=1)["available"], 210)
        self.assertEqual(self.json("--timeout", 1, "--endpoint", "tcp://127.0.0.1:1", "ping",
                                   status=4)["error"], "unreachable")

    def test_an_order_that_was_settled_on_the_way_to_a_name_is_in_the_answer(self):
        self.log_in()
        self.served.signal(signal.SIGSTOP)
        answer = self.json("--timeout", 200, "buy", COLA, 7, status=5)
        self.assertEqual(answer["error"], "outcome_unknown")
        self.assertEqual(self.json("local")["pending"]["lines"], [{"upc": COLA, "units": 7}])
        self.served.signal(signal.SIGCONT)
        answer = self.json("buy", "milk", 1)
        self.assertEqual(answer["settled"]["lines"], [{"upc": COLA, "units": 7}])
        self.assertEqual(answer["order"], 2)
        self.assertEqual(self.json("inventory", "cola")["items"], [{**ROW, "units": 1293}])


class SetAside(Case):
    def test_an_order_that_was_set_aside_is_called_so_by_all_programs(self):
        self.log_in()
        other = self.state + "-copy"
        shutil.copytree(self.state, other)
        self.served.kill()
        self.stockctl("--timeout", 200, "buy", COLA, 7, status=5)
        self.environment["STOCK_ENDPOINT"] = self.served.restart(crash=True).endpoint
        self.stockctl("--state", other, "logout")
        self.assertIn("'resolve --set-aside' takes it out of the way\n",
                      self.stockctl("resolve", status=5).stderr)
        done = self.stockctl("inventory", status=5)
        self.assertIn("takes it out of the way; nothing else was begun\n", done.stderr)
        self.assertEqual(self.stockctl("resolve", "--set-aside").stdout,
                         "order 1 was set aside; log in again to go on\n")
        self.assertIn("order 1 of session 1 of north (buy 7 of 049000006346) was set aside; ",
                      self.stockctl("local").stderr)
        told = self.json("local")["set_aside"]
        self.assertEqual(told, [{
            "user": "north", "status": "session_ended", "session": 1, "order": 1, "kind": "buy",
            "lines": [{"upc": COLA, "units": 7}]}])
        history = self.json("ping")["history"]
        found = self.run_program(STOCK_FSCK, "--json", self.state)
        self.assertEqual(found.returncode, 0, found)
        found = json.loads(found.stdout)
        self.assertEqual(found["set_aside"], told)
        self.assertEqual(found["broker_history"], history)
        found = self.run_program(STOCK_FSCK, self.state).stdout
        self.assertIn("order 1 of session 1 of north was set aside: buy\n", found)
        self.assertRegex(found, f"the broker of history {history} was last seen at position \\d+\n")


class Settings(Case):
    def test_config_tells_where_each_setting_comes_from(self):
        del self.environment["STOCK_TIMEOUT"]
        path = os.path.join(self.home, "client.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write('timeout_ms = 7000\nconfirm_units = 5\nuser = "south"\n')
        arguments = ["--config", path, "--user", "north", "config"]
        self.assertEqual(self.stockctl(*arguments).stdout, (
            f"endpoint\t{ENDPOINT}\tSTOCK_ENDPOINT\nstate\t{self.state}\tSTOCK_STATE\n"
            f"user\tnorth\t--user\ntimeout_ms\t7000\t{path}\ncolor\tauto\tdefault\n"
            f"confirm_units\t5\t{path}\ncurve/certificate\t\tdefault\n"
            f"curve/broker_key\t\tdefault\n"))
        answer = self.json(*arguments)
        self.assertEqual(answer["file"], path)
        self.assertEqual([(row["key"], row["from"]) for row in answer["settings"]], [
            ("endpoint", "environment"), ("state", "environment"), ("user", "flag"),
            ("timeout_ms", "file"), ("color", "default"), ("confirm_units", "file"),
            ("curve/certificate", "default"), ("curve/broker_key", "default")])
        self.assertEqual(answer["settings"][3],
                         {"key": "timeout_ms", "value": "7000", "from": "file", "source": path})

    def test_the_shipped_file_is_good(self):
        source = os.path.join(os.environ["STOCKBUS_SOURCE"], "conf", "client.conf")
        self.assertIn("confirm_units\t100\t", self.stockctl("--config", source, "config").stdout)

    def test_the_wrong_file_for_the_brokers_key_is_told_for_what_it_is(self):
        files = {"words": "words = 3\n", "nonsense": "non  sense\n", "zero": "\0", "empty": ""}
        for name, text in files.items():
            with open(os.path.join(self.home, name), "w", encoding="utf-8") as file:
                file.write(text)
        self.stockctl("keygen", "shop.cert")
        for name, words in (("shop.cert_secret", "this is the secret half of a certificate, and the public half is wanted "
                             "here; if anybody else was given it, make a new certificate\n"),
                            ("words", "is no certificate: words: there is no such key\n"),
                            ("nonsense", "is no certificate: "), ("zero", "is no certificate: holds a zero byte\n"),
                            ("empty", "is no certificate: curve/public-key is missing\n")):
            told = self.stockctl("--certificate", "shop.cert", "--broker-key", name, "ping", status=2)
            self.assertIn(f"stockctl: {name}: {words}", told.stderr)

    def test_wait_ends_when_the_broker_serves(self):
        port = self.served.port
        self.served.terminate()
        waiting = subprocess.Popen([STOCKCTL, "wait", "--timeout=60000"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, encoding="utf-8", env=self.environment)
        self.addCleanup(waiting.kill)
        self.assertIn("has not answered yet; waiting for an answer", waiting.stderr.readline())
        again = self.broker(bind=f"tcp://127.0.0.1:{port}").start()
        out, _ = waiting.communicate()
        self.assertEqual(waiting.returncode, 0)
        self.assertIn(f"{again.endpoint} answers after", out)


class Shell(Case):
    """The completion script, asked as bash would."""

    def complete(self, *words):
        script = self.stockctl("--completion", "bash").stdout
        ask = ('COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _stockbus "$1"; '
               'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script + ask, "bash", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8", cwd=self.home, check=True)
        self.assertEqual(done.stderr, "")
        return sorted(filter(None, done.stdout.splitlines()))

    def test_commands_options_and_values_are_completed(self):
        with open(os.path.join(self.home, "orders.txt"), "w", encoding="utf-8"):
            pass
        for words, expected in [
                (["stockctl", "re"], ["resolve", "restock"]),
                (["stockctl", "--pass"], ["--password-file"]),
                (["stockctl", "--j"], ["--json"]), (["stock", "--j"], []), (["stock", "lo"], []),
                (["stockctl", "--color", ""], ["always", "auto", "never"]),
                (["stockctl", "--color", "=", "n"], ["never"]),
                (["stockctl", "--json", "--user", "north", "lo"], ["local", "login", "logout"]),
                (["stockctl", "--user", ""], []),
                (["stockctl", "--config", "ord"], ["orders.txt"]),
                (["stockctl", "run", "ord"], ["orders.txt"]),
                (["stockctl", "run", "--"], ["--keep-going"]),
                (["stockctl", "resolve", ""], ["--set-aside", "--void"]),
                (["stockctl", "help", "pi"], ["ping"])]:
            self.assertEqual(self.complete(*words), expected, words)

    def test_no_other_shell_is_promised(self):
        self.assertIn("only for bash", self.stockctl("--completion", "zsh", status=2).stderr)


if __name__ == "__main__":
    main()
