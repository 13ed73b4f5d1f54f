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

# The kinds of sensor of pipeline/reading_source.c.
SENSORS = [
    ("hall.temperature", "°C", 12, 28), ("hall.humidity", "%", 20, 80),
    ("freezer.temperature", "°C", -26, -16), ("dock.temperature", "°C", -15, 35),
    ("boiler.temperature", "°C", 40, 95), ("boiler.pressure", "bar", 0.8, 3),
    ("air.pressure", "hPa", 960, 1040), ("air.co2", "ppm", 380, 1580),
    ("mains.voltage", "V", 218, 242), ("mains.current", "A", 0, 63),
    ("mains.frequency", "Hz", 49.9, 50.1), ("water.flow", "l/min", 0, 45),
    ("belt.speed", "m/s", 0, 2.5), ("scale.weight", "kg", 0, 1500),
    ("aisle.light", "lx", 50, 800), ("door.opened", "s", 0, 600)]


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
        sensor, unit, low, high = source.choice(SENSORS)
        readings.put(MAKE(id=source.getrandbits(53), producer=number, sequence=sequence,
                          time_ns=time.time_ns(), sensor=sensor, unit=unit,
                          value=round(source.uniform(low, high), 2)))


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
