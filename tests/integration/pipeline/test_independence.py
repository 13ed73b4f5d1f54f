"""The programs of the pipeline stand on their own: they link no ZeroMQ. (What its sources may include
is a rule of tests/lint.)"""

import re
import subprocess
import unittest

from pipeline_support import READINGS, READINGS_CAT


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


if __name__ == "__main__":
    unittest.main()
