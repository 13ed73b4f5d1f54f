"""The rules of tidy.py: the repository keeps them, and each finds the fault that is planted for it."""

import os
import tempfile
import unittest

import tidy
from sources import ROOT, Tree, copy_to

# {rule: [(file, what stands at its end, finding)]}; a file that is not there is made.
FAULTS = {
    "long_functions": [
        ("shared/long.c", "int\nlong_one(void)\n{\n" + "    ;\n" * 58 + "}\n", "long_one has 61"),
        ("tests/long.py", "def long():\n" + "    pass\n" * 60, "long has 61")],
    "long_files": [("shared/long.c", "\n" * 601, "the file has 601 lines")],
    "direction": [
        ("shared/wrong.c", '#include "broker/ledger.h"\n', "shared/ includes broker/ledger.h"),
        ("client/wrong.h", '#include "broker/stock.h"\n', "client/ includes broker/stock.h"),
        ("broker/wrong.c", '#include "client/link.h"\n', "broker/ includes client/link.h"),
        ("pipeline/wrong.c", "#include <zmq.h>\n", "pipeline/ includes zmq.h"),
        ("pipeline/wrong.h", "#include <czmq.h>\n", "pipeline/ includes czmq.h"),
        ("pipeline/wrong.c", '#include "shared/protocol.h"\n', "includes shared/protocol.h")],
    "cycles": [("shared/limits.h", '#include "shared/protocol.h"\n', "includes itself")],
    "pure": [
        ("broker/stock.c", "#include <unistd.h>\n", "includes unistd.h"),
        ("broker/sessions.c", '#include "shared/files.h"\n', "includes shared/files.h"),
        ("broker/ledger.c", "void\nf(void)\n{\n    clock_gettime(0, 0);\n}\n", "calls clock_gettime"),
        ("broker/event.c", "void\nf(void)\n{\n    printf(\"\");\n}\n", "calls printf"),
        ("broker/ledger.c", "void\nf(void)\n{\n    randombytes_buf(0, 0);\n}\n",
         "calls randombytes_buf")],
    "banned_calls": [
        ("client/wrong.c", f"void\nf(char *a)\n{{\n    {call}(a);\n}}\n", f"{call} is banned")
        for call in ("strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "atol", "strtok",
                     "system", "popen", "rand")],
    "sleep": [
        ("tests/unit/wrong.c", "void\nf(void)\n{\n    sleep(1);\n}\n", "sleeps"),
        ("tests/wrong.py", "import time\ntime.sleep(1)\n", "sleeps")],
    "stand_alone": [("shared/alone.h", "uint64_t\nalone(void);\n", "does not stand alone")],
    "guards": [("shared/open.h", "int\nopen_one(void);\n", "is not guarded by STOCKBUS_SHARED_OPEN_H")],
    "own_header_first": [
        [("client/twin.h", "", None),
         ("client/twin.c", "#include <stdio.h>\n", "includes stdio.h before client/twin.h")]],
    "words": [
        ("README.md", "TO" + "DO: the rest\n", "does not belong"),
        ("docs/wrong.md", "as is" + "sue #12 asks\n", "does not belong"),
        ("script/build", "cd /wo" + "rk/main\n", "does not belong")],
    "architecture": [
        ("docs/architecture.md", "`ledger_guess()`\n", "there is no ledger_guess()"),
        ("docs/architecture.md", "`broker/oracle.c`\n", "there is no broker/oracle.c"),
        ("docs/architecture.md", "`oracle.h`\n", "there is no oracle.h"),
        ("docs/architecture.md", "`struct oracle`\n", "there is no struct oracle")],
    "reasons": [
        ("shared/upc.c", "/* NOLINTNEXTLINE(cert-err34-c) */\n", "nothing says why"),
        ("shared/upc.c", "/* NOLINT: all of it, for no check that is named */\n", "says why"),
        ("script/build", "# shellcheck disable=SC2086\n", "nothing says why"),
        ("tests/lint/words.txt", "\nmispelt\n", "nothing says why")],
}


class Kept(unittest.TestCase):
    def test_the_repository_keeps_every_rule(self):
        for rule, findings in tidy.check(Tree(ROOT)).items():
            with self.subTest(rule=rule):
                self.assertEqual(findings, [])


class Planted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="stockbus-tidy-")
        cls.addClassCleanup(folder.cleanup)
        cls.tree = copy_to(folder.name)

    def plant(self, rule, faults):
        """Plants faults, and returns what the rule says then; all is as it was afterwards."""
        planted = {name for name, _, _ in faults}
        clean = {name: self.tree.text(name) for name in planted if name in self.tree.files}
        for name, text, _ in faults:
            self.write("a", name, text)
        tree = Tree(self.tree.root)
        tree.texts = {name: text for name, text in self.tree.texts.items() if name not in planted}
        found = tidy.check(tree, [rule])[rule.__name__]
        self.tree.texts.update({**tree.texts, **clean})
        for name in planted:
            os.unlink(os.path.join(self.tree.root, name))
        for name, text in clean.items():
            self.write("w", name, text)
        return found

    def write(self, mode, name, text):
        with open(os.path.join(self.tree.root, name), mode, encoding="utf-8") as file:
            file.write(text)

    def test_every_rule_has_a_fault(self):
        self.assertEqual(sorted(FAULTS), sorted(rule.__name__ for rule in tidy.RULES))

    def test_every_rule_finds_what_is_planted(self):
        for rule in tidy.RULES:
            for fault in FAULTS[rule.__name__]:
                faults = fault if isinstance(fault, list) else [fault]
                with self.subTest(rule=rule.__name__, fault=faults):
                    found = self.plant(rule, faults)
                    name, _, expected = faults[-1]
                    self.assertTrue(any(name in finding and expected in finding
                                        for finding in found), found)

    def test_a_spared_line_is_spared_for_its_rule_alone(self):
        fault = "void\nf(void)\n{\n    /* tidy: %s: as a test of it */\n    sleep(1);\n}\n"
        name = "tests/unit/wrong.c"
        self.assertEqual(self.plant(tidy.sleep, [(name, fault % "sleep", None)]), [])
        self.assertEqual(len(self.plant(tidy.sleep, [(name, fault % "words", None)])), 1)


if __name__ == "__main__":
    unittest.main()
