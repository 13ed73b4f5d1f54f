"""The same pipeline in Python: threads, a queue.Queue, and a file of pickles for each consumer.

usage: peer_pickle.py PRODUCERS CONSUMERS CAPACITY COUNT
"""

import pickle
import queue
import random
import sys
import tempfile
import threading
import time

from check import check

PRODUCERS, CONSUMERS, CAPACITY, COUNT = map(int, sys.argv[1:])
SENSORS = [("hall.temperature", "°C", 12, 28), ("boiler.pressure", "bar", 0.8, 3),
           ("mains.voltage", "V", 218, 242), ("scale.weight", "kg", 0, 1500)]


def produce(readings, number):
    source = random.Random(number)
    for sequence in range(1, COUNT + 1):
        sensor, unit, low, high = SENSORS[sequence % len(SENSORS)]
        readings.put({"id": source.getrandbits(53), "producer": number, "sequence": sequence,
                      "time_ns": time.time_ns(), "sensor": sensor, "unit": unit,
                      "value": low + (high - low) * source.random()})


def consume(readings, path):
    with open(path, "wb", buffering=65536) as file:
        while (reading := readings.get()) is not None:
            pickle.dump(reading, file, pickle.HIGHEST_PROTOCOL)


def unpickle(path):
    with open(path, "rb") as file:
        try:
            while True:
                yield pickle.load(file)
        except EOFError:
            pass


def main():
    readings = queue.Queue(CAPACITY)
    with tempfile.TemporaryDirectory() as directory:
        paths = [f"{directory}/consumer-{n}.pickle" for n in range(1, CONSUMERS + 1)]
        producers = [threading.Thread(target=produce, args=(readings, n))
                     for n in range(1, PRODUCERS + 1)]
        consumers = [threading.Thread(target=consume, args=(readings, path)) for path in paths]
        start = time.monotonic()
        for thread in consumers + producers:
            thread.start()
        for thread in producers:
            thread.join()
        for _ in consumers:
            readings.put(None)
        for thread in consumers:
            thread.join()
        seconds = time.monotonic() - start
        items, checksum, ordered = check(unpickle(path) for path in paths)
    print(items, f"{seconds:.6f}", checksum, ordered)


main()
