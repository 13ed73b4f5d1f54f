"""The pipeline stands on its own: no ZeroMQ, no container of others, nothing of broker or client."""

import glob
import os
import re
import subprocess
import unittest

from pipeline_support import READINGS, READINGS_CAT

SOURCE = os.environ["STOCKBUS_SOURCE"]
OF_OURS = re.compile(r"pipeline/[a-z_]+\.h|shared/(files|error|pack|guard|limits|usage)\.h")
OF_OTHERS = {"msgpack.h"}
FORBIDDEN = re.compile(r"zmq|czmq|glib|GAsyncQueue|tbb|mqueue|concurrent|ck_", re.I)


class Independence(unittest.TestCase):
    def test_the_programs_link_no_zeromq(self):
        for program in READINGS, READINGS_CAT:
            needed = re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(
                ["readelf", "-d", program], stdout=subprocess.PIPE, encoding="utf-8",
                check=True).stdout)
            self.assertTrue(any(name.startswith("libc.so") for name in needed), needed)
            self.assertEqual([name for name in needed if re.search("zmq", name)], [])
            loaded = subprocess.run(["ldd", program], stdout=subprocess.PIPE, encoding="utf-8",
                                    check=True).stdout
            self.assertNotIn("zmq", loaded)

    def test_the_sources_include_only_what_they_may(self):
        sources = glob.glob(os.path.join(SOURCE, "pipeline", "*.[ch]"))
        self.assertGreater(len(sources), 10)
        for path in sources:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for kind, name in re.findall(r'^\s*#\s*include\s*(["<])([^">]+)', text, re.M):
                with self.subTest(path=path, include=name):
                    self.assertIsNone(FORBIDDEN.search(name))
                    if kind == '"':
                        self.assertTrue(OF_OURS.fullmatch(name) or name in OF_OTHERS)


if __name__ == "__main__":
    unittest.main()
