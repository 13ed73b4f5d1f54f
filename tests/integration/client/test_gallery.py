"""The screens of a first visit, at two sizes, with and without colour, and in a pipe: docs/screens.

They are compared with what stands there; `script/screens` draws them anew.
"""

import os
import signal
import sys

import broker
from client_support import STOCK, Case, main

SCREENS = os.path.join(broker.SOURCE, "docs", "screens")
PORT = "35570"  # stands for the one that was free, and takes as much room
WAITS = 2  # of a visit: while the broker is stopped
VISITS_MAX = 5
PIPED = """\
inventory cola
login north
inventory cola "green tea"
byu cola 1
buy xyzzy 1
buy 036000291453 1
buy box 1
buy tissues 3
local
logout
"""


class Gallery(Case):
    """`draws` writes the files; otherwise they are compared."""

    draws = False

    def setUp(self):
        super().setUp()
        self.maxDiff = None
        self.served = self.broker("gallery", inventory=None).start()
        self.environment["STOCK_ENDPOINT"] = self.served.endpoint

    def hide_port(self, text):
        return text.replace(f":{self.served.port}", f":{PORT}")

    def hold(self, name, text):
        path = os.path.join(SCREENS, name)
        if self.draws:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(text, file.read(), name)

    # tidy: long_functions: one visit, from its beginning to its end
    def visit(self, width, height, colors):
        """Leads through a visit and returns all its screens, each under a heading."""
        environment = {} if colors else {"NO_COLOR": "1"}
        screen = self.screen(width=width, height=height, **environment)
        shown = []

        def keep(title, pattern=r"^(stock|north).*> ?\Z", clears=True):
            screen.wait_for(pattern)
            drawn = screen.text(colors).replace("\033", "\\e")
            shown.append(f"{f'--- {title} '.ljust(width, '-')}\n{drawn}\n")
            if clears:
                screen.press("C-l")

        def enter(text, answer):
            """Types a line on a screen that is cleared, and waits for what comes of it."""
            screen.wait_for(r"\A[^\n]*> ?\Z")
            screen.type(text)
            screen.press("Enter")
            screen.wait_for(answer)

        keep("a first visit")
        enter("2", "0 quit$")
        keep("a number of the menu, too early")
        enter("login north", "password of north")
        keep("the password is not shown", "password of north: ?\\Z", clears=False)
        screen.type("apple")
        screen.press("Enter")
        screen.wait_for("is logged in")
        keep("logged in")
        enter("inventory", "^26 items")
        keep("what there is to buy")
        enter("byu cola 1", "did you mean")
        keep("a mistyped command")
        enter("buy xyzzy 1", "no item")
        keep("an unknown item")
        enter("buy 036000291453 1", "did you mean")
        keep("a UPC with a wrong digit")
        enter("buy box 1", "may be any of")
        keep("an ambiguous name")
        enter("help buy", "Examples")
        keep("help")
        enter("buy cola 101", r"\[y/N\]")
        keep("a large order", r"\[y/N\] ?\Z", clears=False)
        screen.type("n")
        screen.press("Enter")
        screen.wait_for("nothing was ordered")
        screen.press("C-l")
        enter('buy tissues 3 "green tea" 1', "bought 1")
        keep("a purchase")
        enter("local", "2 items")
        keep("what was bought")
        self.served.signal(signal.SIGSTOP)
        enter("inventory", "Ctrl-C")
        screen.press("C-c")
        screen.wait_for(r"\(broker away\)")
        keep("the broker is away")
        enter("buy 049000006346 2", "Ctrl-C")
        screen.press("C-c")
        screen.wait_for(r"\(order pending\)")
        keep("an order is pending")
        self.served.signal(signal.SIGCONT)
        enter("resolve", "bought 2")
        keep("and settled")
        screen.quit()
        return "".join(shown)

    def visit_anew(self, width, height, colors):
        """A visit with a broker and a state of its own; another where the machine was so slow that the
        client told of waits of which there are none in a visit."""
        for attempt in range(VISITS_MAX):
            name = f"{width}-{colors}-{attempt}"
            self.served.kill()
            self.served = self.broker(name, inventory=None).start()
            self.environment.update(STOCK_ENDPOINT=self.served.endpoint,
                                    STOCK_STATE=f"{self.state}-{name}")
            shown = self.visit(width, height, colors)
            if shown.count("has not answered yet") == WAITS:
                break
        return shown

    def test_a_visit_on_a_small_and_a_large_terminal_with_and_without_colour(self):
        for width, height in [(80, 24), (200, 50)]:
            for colors in (False, True):
                with self.subTest(width=width, colors=colors):
                    self.hold(f"{width}x{height}{'-color' if colors else ''}.txt",
                              self.visit_anew(width, height, colors))

    def test_a_visit_in_a_pipe(self):
        done = self.run_program("bash", "-c", f"{STOCK} 2>&1", text=PIPED)
        self.assertEqual(done.returncode, 2)
        self.hold("pipe.txt", done.stdout)


if __name__ == "__main__":
    if "--draw" in sys.argv:
        sys.argv.remove("--draw")
        Gallery.draws = True
    main()
