"""200 recordings with small random settings. usage: test_random_runs.py [SEED]"""

import concurrent.futures
import os
import random
import sys
import tempfile
import unittest

from pipeline_support import READINGS, Case, run, totals_of

SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 else random.randrange(2 ** 32)


class RandomRuns(Case):
    def one(self, settings):
        producers, consumers, capacity, count, seed = settings
        with tempfile.TemporaryDirectory(dir=self.directory) as directory:
            done = run(READINGS, "--out", directory, "--idle-timeout", "1", "--producers",
                       producers, "--consumers", consumers, "--capacity", capacity, "--count",
                       count, "--seed", seed)
            self.assertEqual((done.returncode, done.stderr), (0, ""), settings)
            self.assertEqual(totals_of(done.stdout), (producers * count,) * 2, settings)
            self.assertEqual(len(self.check_recording(directory)), producers * count, settings)

    def test_two_hundred_runs_record_every_reading_once(self):
        print("seed", SEED, flush=True)
        source = random.Random(SEED)
        runs = [(source.randint(1, 12), source.randint(1, 6), source.randint(1, 20),
                 source.randint(0, 120), source.randrange(2 ** 64)) for _ in range(200)]
        # Side by side, because each waits a second at its end.
        with concurrent.futures.ThreadPoolExecutor(12 * os.cpu_count()) as pool:
            list(pool.map(self.one, runs))


if __name__ == "__main__":
    unittest.main()
