"""Python's queue.Queue. See harness.h for what is measured and printed."""

import queue
import sys
import threading
import time

PRODUCERS, CONSUMERS, CAPACITY, COUNT = map(int, sys.argv[1:])


def produce(items, number):
    for i in range(COUNT):
        items.put((number, i, 0, 0, 0, 0, 0, number * 1000003 + i))


def consume(items, results):
    following = [0] * PRODUCERS
    total = checksum = 0
    ordered = True
    while (item := items.get()) is not None:
        checksum += item[7] ^ item[1]
        ordered = ordered and item[1] >= following[item[0]]
        following[item[0]] = item[1] + 1
        total += 1
    results.append((total, checksum, ordered))


def main():
    items = queue.Queue(CAPACITY)
    results = []
    producers = [threading.Thread(target=produce, args=(items, n)) for n in range(PRODUCERS)]
    consumers = [threading.Thread(target=consume, args=(items, results)) for _ in range(CONSUMERS)]
    start = time.monotonic()
    for thread in consumers + producers:
        thread.start()
    for thread in producers:
        thread.join()
    for _ in consumers:
        items.put(None)
    for thread in consumers:
        thread.join()
    seconds = time.monotonic() - start
    totals, checksums, ordered = zip(*results)
    print(sum(totals), f"{seconds:.6f}", sum(checksums) % 2 ** 64, int(all(ordered)))


main()
