"""The same pipeline in Python: threads, a queue.Queue, and a file of pickles for each consumer.

usage: peer_pickle.py dict|dataclass PRODUCERS CONSUMERS CAPACITY COUNT

A reading is a dictionary or an object of a class, as the first argument says.
"""

import dataclasses
import pickle
import queue
import random
import sys
import tempfile
import threading
import time

from check import check

FORM = sys.argv[1]
PRODUCERS, CONSUMERS, CAPACITY, COUNT = map(int, sys.argv[2:])

# The kinds of sensor of pipeline/reading_source.c: name, unit, smallest value and span, in hundredths.
SENSORS = [
    ("hall.temperature", "°C", 1200, 1600), ("hall.humidity", "%", 2000, 6000),
    ("freezer.temperature", "°C", -2600, 1000), ("dock.temperature", "°C", -1500, 5000),
    ("boiler.temperature", "°C", 4000, 5500), ("boiler.pressure", "bar", 80, 220),
    ("air.pressure", "hPa", 96000, 8000), ("air.co2", "ppm", 38000, 120000),
    ("mains.voltage", "V", 21800, 2400), ("mains.current", "A", 0, 6300),
    ("mains.frequency", "Hz", 4990, 20), ("water.flow", "l/min", 0, 4500),
    ("belt.speed", "m/s", 0, 250), ("scale.weight", "kg", 0, 150000),
    ("aisle.light", "lx", 5000, 75000), ("door.opened", "s", 0, 60000)]


@dataclasses.dataclass
class Reading:
    id: int
    producer: int
    sequence: int
    time_ns: int
    sensor: str
    unit: str
    value: float


MAKE = {"dict": dict, "dataclass": Reading}[FORM]


def produce(readings, number):
    source = random.Random(number)
    for sequence in range(1, COUNT + 1):
        # One number a reading, as in C: the lowest bits choose the sensor, the upper half the value.
        bits = source.getrandbits(64)
        sensor, unit, low, span = SENSORS[bits % len(SENSORS)]
        readings.put(MAKE(id=number << 43 | sequence, producer=number, sequence=sequence,
                          time_ns=time.time_ns(), sensor=sensor, unit=unit,
                          value=(low + ((bits >> 32) * (span + 1) >> 32)) / 100))


def consume(readings, path):
    with open(path, "wb", buffering=65536) as file:
        while (reading := readings.get()) is not None:
            pickle.dump(reading, file, pickle.HIGHEST_PROTOCOL)


def unpickle(path):
    with open(path, "rb") as file:
        try:
            while True:
                reading = pickle.load(file)
                yield reading if FORM == "dict" else vars(reading)
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
