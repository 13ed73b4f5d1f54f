"""stock and stockctl on a terminal: what stands on the screen."""

import os
import re
import signal
import stat

from client_support import STOCKCTL, Case, main, without_waits

MENU = """
Stockbus, broker at tcp://127.0.0.1:PORT, nobody logged in

  1  log in
  2  view server inventory
  3  view local inventory
  4  purchase
  5  log out
  0  quit

Type a number or a command; Enter shows the menu. Tab completes, 'help' lists
the commands, 'help buy' explains one.
stock>"""

TABLE_80 = """
UPC           ITEM                        UNITS
021130000012  Milk, 1 l                     210  ████▊
036000291452  Facial tissues, 160 sheets    100  ██▎
046700000018  緑茶 green tea, 100 g          30  ▋
049000006346  Cola, 330 ml can            1,300  ██████████████████████████████
076808501001  Spaghetti, 500 g              160  ███▋
098000000014  Crème brûlée mix, 200 g         0
6 items, 1,800 units"""

TABLE_44 = """
UPC           ITEM                     UNITS
021130000012  Milk, 1 l                  210
036000291452  Facial tissues, 160 sh…    100
046700000018  緑茶 green tea, 100 g       30
049000006346  Cola, 330 ml can         1,300
076808501001  Spaghetti, 500 g           160
098000000014  Crème brûlée mix, 200 g      0
6 items, 1,800 units"""

REMINDER = "1 login  2 inventory  3 local  4 buy  5 logout  0 quit"


class FirstVisit(Case):
    def test_the_menu_is_shown_at_80_and_at_200_columns(self):
        for width, height in [(80, 24), (200, 50)]:
            screen = self.screen(width=width, height=height)
            self.assertEqual(screen.wait_for(r"^stock> ?\Z"), MENU)
            screen.quit()

    def test_the_numbers_of_the_menu_lead_through_a_purchase(self):
        screen = self.screen()
        screen.wait_for(r"^stock> ?\Z")
        screen.press("1", "Enter")
        screen.wait_for("user: ?$")
        screen.type("north")
        screen.press("Enter")
        screen.wait_for("password of north")
        screen.type("apple")
        screen.press("Enter")
        shown = screen.wait_for(r"^north> ?\Z")
        self.assertIn("north is logged in\nnext: 2 shows what there is to buy\n\n" + REMINDER, shown)
        self.assertNotIn("apple", shown)
        self.assertIn("next: 4 buys, as does 'buy ITEM UNITS'", screen.enter("2"))
        screen.press("C-l", "4", "Enter")
        screen.wait_for(r"item \(UPC or name; empty: none\): ?$")
        screen.type("TEA")
        screen.press("Enter")
        screen.wait_for("units of 緑茶 green tea, 100 g: ?$")
        screen.type("3")
        screen.press("Enter")
        screen.wait_for("another item")
        screen.press("Enter")
        screen.wait_for(r"bought 3 of 046700000018 緑茶 green tea, 100 g \(order 1\)\nnext: 3 shows")
        shown = screen.enter("3")
        self.assertIn("046700000018  緑茶 green tea, 100 g      3\n1 item, 3 units", shown)
        shown = screen.enter("5")
        self.assertIn("north is logged out\nnext: 1 logs in again, 0 quits", shown)
        screen.type("0")
        screen.press("Enter")
        self.assertEqual(screen.wait_for_end(), 0)



class Tables(Case):
    def test_a_table_fits_its_terminal(self):
        self.log_in()
        for width, table in [(80, TABLE_80), (200, TABLE_80), (44, TABLE_44)]:
            screen = self.screen("inventory", width=width, program=STOCKCTL, NO_COLOR="1")
            screen.wait_for_end()
            self.assertEqual("\n" + without_waits(screen.text()), table)
            screen.close()

    def test_colors_honour_no_color_and_the_option(self):
        self.log_in()
        for arguments, environment, colored in [
                ([], {}, True), ([], {"NO_COLOR": "1"}, False),
                (["--color=never"], {}, False), (["--color=always"], {"NO_COLOR": "1"}, True),
                ([], {"STOCK_COLOR": "never"}, False)]:
            screen = self.screen(*arguments, "inventory", program=STOCKCTL, **environment)
            screen.wait_for("^6 items")
            shown = screen.text(colors=True)
            self.assertEqual(re.search("\033\\[\\d*m", shown) is not None, colored, shown)
            if colored:
                self.assertIn("\033[32m", shown)  # the bars
                self.assertRegex(shown, "200 g *\033\\[31m *0")  # none left
            screen.close()

    def test_config_is_a_table(self):
        screen = self.screen("config", program=STOCKCTL)
        screen.wait_for("^endpoint          tcp://127.0.0.1:PORT")
        self.assertEqual(screen.wait_for_end(), 0)


class Slips(Case):
    def test_a_mistyped_command_is_answered_with_the_nearest(self):
        screen = self.screen()
        screen.wait_for(r"^stock> ?\Z")
        self.assertIn("'byu' is no command; did you mean 'buy'?\nstock>", screen.enter("byu"))

    def test_an_unknown_item_and_an_ambiguous_name_are_told(self):
        screen = self.screen()
        screen.log_in()
        self.assertIn("buy: there is no item called 'xyzzy'\nnorth>", screen.enter("buy xyzzy 1"))
        self.assertIn("buy: 'mi' may be any of 2 items:\n"
                      "  021130000012  Milk, 1 l\n"
                      "  098000000014  Crème brûlée mix, 200 g\nnorth>", screen.enter("buy mi 1"))
        self.assertIn("'tissues' is no number of units from 1 to 1000000000; a name of several words",
                      screen.enter("buy facial tissues").replace("\n", " "))

    def test_logging_in_is_suggested(self):
        screen = self.screen()
        screen.wait_for(r"^stock> ?\Z")
        self.assertIn("log in first\nnext: 1 logs in, as does 'login USER'\nstock>",
                      screen.enter("inventory"))

    def test_help_has_examples(self):
        screen = self.screen()
        screen.wait_for(r"^stock> ?\Z")
        self.assertIn("Examples:\n  buy 036000291452 3\n  buy cola 12 \"tomato soup\" 2\nstock>",
                      screen.enter("help buy"))

    def test_a_large_order_is_asked_about(self):
        screen = self.screen()
        screen.log_in()
        screen.enter("buy cola 101", r"buy 101 units of 049000006346 Cola, 330 ml can\? \[y/N\] ?\Z")
        screen.press("n", "Enter")
        screen.wait_for("buy: not confirmed, nothing was ordered\nnorth>")
        screen.enter("buy cola 101", r"\[y/N\] ?\Z")
        screen.press("y", "Enter")
        screen.wait_for("bought 101 of 049000006346")
        screen.enter("buy cola 100")
        screen.quit()
        self.stockctl("buy", "cola", "500")  # nobody is there to be asked


class Killed(Case):
    def test_the_names_of_what_was_bought_outlive_a_kill(self):
        screen = self.screen()
        screen.log_in()
        screen.type("buy 049000006346 2 046700000018 1")
        screen.press("Enter")
        screen.wait_for(r"^bought 1 of 046700000018 緑茶.*\n(.*\n)*north> ?\Z")
        os.kill(int(screen.tmux("list-panes", "-F", "#{pane_pid}")), signal.SIGKILL)
        screen.wait_for_end()
        self.served.terminate()
        self.assertEqual(self.stockctl("local").stdout,
                         "046700000018\t緑茶 green tea, 100 g\t1\n049000006346\tCola, 330 ml can\t2\n")


class Editing(Case):
    def test_the_tabulator_completes_commands_upcs_and_names(self):
        screen = self.screen()
        screen.log_in()
        screen.enter("inventory")  # however slow this machine is, the items are known from here on
        screen.press("C-l")
        screen.type("inv")
        screen.press("Tab")
        screen.wait_for("^north> inventory ?\\Z")
        screen.type("brul")
        screen.press("Tab")
        screen.wait_for('^north> inventory "Crème brûlée mix, 200 g" ?\\Z')
        screen.type("0460")
        screen.press("BSpace", "7", "Tab")
        screen.wait_for("200 g\" 046700000018 ?\\Z")
        screen.press("C-u")
        screen.type("buy mi")
        screen.press("Tab")
        screen.wait_for('  "Milk, 1 l"\n  "Crème brûlée mix, 200 g"\nnorth> buy mi\\Z')

    def test_ctrl_c_drops_the_line_that_is_being_typed(self):
        screen = self.screen()
        screen.log_in()
        screen.press("C-l")
        screen.type("buy cola 9")
        screen.wait_for(r"^north> buy cola 9\Z")
        screen.press("C-c")
        screen.wait_for(r"^north> buy cola 9\^C\nnorth> ?\Z")
        screen.type("LOCAL")
        screen.press("Enter")
        screen.wait_for("north has nothing in the local inventory\nnorth> ?\\Z")
        screen.type("buy")
        screen.press("Enter")
        screen.wait_for(r"item \(UPC or name; empty: none\): ?\Z")
        screen.type("co")
        screen.press("C-c")
        screen.wait_for(r"nothing was ordered\nnorth> ?\Z")
        screen.press("C-c")
        self.assertEqual(screen.wait_for_end(), 0)

    def test_a_purchase_that_is_left_in_the_middle_orders_nothing(self):
        screen = self.screen()
        screen.log_in()
        for typed, keys in [("", ["C-c"]), ("", ["C-d"]), ("half", ["C-c"])]:
            screen.enter("buy", r"item \(UPC or name; empty: none\): ?\Z")
            screen.type("cola")
            screen.press("Enter")
            screen.wait_for(r"units of Cola, 330 ml can: ?\Z")
            screen.type("3")
            screen.press("Enter")
            screen.wait_for(r"another item \(empty: that is all\): ?\Z")
            screen.type(typed)
            screen.wait_for(rf"that is all\): ?{typed}\Z")
            screen.press(*keys)
            shown = screen.wait_for(r"\nnorth> ?\Z")
            self.assertRegex(shown, r"nothing was ordered\nnorth> ?\Z")
        screen.quit()
        self.assertEqual(self.stockctl("local").stdout, "")

    def test_an_empty_line_leaves_the_questions_of_a_purchase(self):
        screen = self.screen()
        screen.log_in()
        screen.enter("buy", r"item \(UPC or name; empty: none\): ?\Z")
        screen.press("Enter")
        screen.wait_for(r"nothing was ordered\nnorth> ?\Z")

    def test_commands_are_there_again_the_next_time_but_no_password(self):
        screen = self.screen()
        screen.log_in()
        screen.enter("inventory cola")
        screen.enter("login north apple")
        screen.enter("apple")
        screen.quit()
        path = os.path.join(self.state, "history")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "login north\ninventory cola\nquit\n")
        screen = self.screen()
        screen.wait_for(r"^north> ?\Z")
        screen.press("Up", "Up")
        screen.wait_for("^north> inventory cola\\Z")


class Away(Case):
    def test_a_broker_that_is_away_is_marked_until_it_is_back(self):
        self.log_in()
        screen = self.screen("--timeout", "300")
        screen.wait_for(r"^north> ?\Z")
        self.served.signal(signal.SIGSTOP)
        shown = screen.enter("inventory", r"\(broker away\)> ?\Z")
        self.assertRegex(shown, "no answer from tcp://127.0.0.1:PORT in \\d\\.\\d seconds\n"
                         "next: is the broker running, and at that address\\? 'wait' tries for longer\n"
                         "north \\(broker away\\)>")
        self.served.signal(signal.SIGCONT)
        screen.type("wait --timeout 60000")
        screen.press("Enter")
        screen.wait_for(r"answers after .*\nnorth> ?\Z")

    def test_a_broker_that_was_never_seen_may_not_run_and_may_encrypt(self):
        self.served.signal(signal.SIGSTOP)
        screen = self.screen("--timeout", "300")
        screen.wait_for(r"^stock> ?\Z")
        shown = screen.enter("ping", r"\(broker away\)> ?\Z")
        self.assertRegex(shown, "no answer from tcp://127.0.0.1:PORT in \\d\\.\\d seconds\n"
                         "next: is the broker running, and at that address\\? 'wait' tries for longer;\n"
                         "does it encrypt\\? then it wants --certificate and --broker-key\nstock \\(broker away\\)>")

    def test_ctrl_c_gives_up_the_wait_and_not_the_order(self):
        screen = self.screen("--timeout", "3600000")
        screen.log_in()
        self.served.signal(signal.SIGSTOP)
        screen.press("C-l")
        screen.type("buy 049000006346 7")
        screen.press("Enter")
        shown = screen.wait_for("Ctrl-C")
        self.assertIn("tcp://127.0.0.1:PORT has not answered yet; waiting for the outcome of order 1 (buy)…",
                      shown.replace("\n", " "))
        screen.press("C-c")
        shown = screen.wait_for(r"^north \(order pending\) \(broker away\)> ?\Z")
        self.assertIn("it stays pending, and 'resolve' settles it", shown.replace("\n", " "))
        self.served.signal(signal.SIGCONT)
        screen.type("resolve")
        screen.press("Enter")
        screen.wait_for(r"bought 7 of 049000006346.*\(order 1\)\nnorth> ?\Z")
        self.assertIn("049000006346  Cola, 330 ml can  1,293", screen.enter("inventory cola"))

    def test_an_order_by_name_that_came_to_nothing_says_so(self):
        screen = self.screen("--timeout", "3600000")
        screen.log_in()
        self.served.signal(signal.SIGSTOP)
        screen.press("C-l")
        screen.type("buy cola 7")
        screen.press("Enter")
        screen.wait_for("waiting for the list of items…")
        screen.press("C-c")
        shown = screen.wait_for(r"^north \(broker away\)> ?\Z")
        self.assertIn("the wait for tcp://127.0.0.1:PORT was given up\nnothing was ordered\n", shown)
        screen.quit()
        done = self.stockctl("--timeout", 200, "buy", "cola", 7, status=4)
        self.assertRegex(done.stderr, r"no answer from \S+ in 0\.\d seconds\n"
                         r"stockctl: nothing was ordered\n\Z")
        self.stockctl("--timeout", 200, "buy", "049000006346", 7, status=5)
        done = self.stockctl("--timeout", 200, "buy", "cola", 7, status=4)
        self.assertRegex(done.stderr, r"nothing else was begun\n\Z")

    def test_an_order_that_is_pending_is_settled_by_the_next_visit(self):
        self.log_in()
        self.served.signal(signal.SIGSTOP)
        self.stockctl("--timeout", "200", "buy", "049000006346", "7", status=5)
        self.served.signal(signal.SIGCONT)
        screen = self.screen()
        shown = screen.wait_for(r"^north> ?\Z")
        self.assertIn("an order is pending from the last time; settling it\n"
                      "bought 7 of 049000006346", shown)


if __name__ == "__main__":
    main()
